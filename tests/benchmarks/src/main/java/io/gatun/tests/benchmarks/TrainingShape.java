package io.gatun.tests.benchmarks;

import io.gatun.adapters.training.Example;
import io.gatun.adapters.training.Packing;
import io.gatun.model.LoadOptions;
import io.gatun.model.LoadOptions.Repacking;
import io.gatun.model.Model;
import io.gatun.tensor.DType;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * A Llama with random weights that is trained, 8 sequences of 256 tokens at a time.
 *
 * @param name what it is called in tables
 */
public record TrainingShape(String name, ModelShape shape) {
  /** Sequences of a step. */
  public static final int SEQUENCES = 8;

  /** Tokens of a sequence. */
  public static final int LENGTH = 256;

  /** 10.4 million parameters. */
  public static TrainingShape small() {
    return new TrainingShape(
        "10M", new ModelShape("llama", 8, 320, 10, 5, 32, 864, 4096, 0, 0, true, Map.of()));
  }

  /** 100.7 million parameters. */
  public static TrainingShape large() {
    return new TrainingShape(
        "100M", new ModelShape("llama", 14, 768, 12, 4, 64, 2048, 16384, 0, 0, true, Map.of()));
  }

  /** Weights of products, the output's included. */
  public long products() {
    long width = shape.embedding();
    long attention = (long) shape.headDim() * (2 * shape.heads() + 2 * shape.kvHeads()) * width;
    return shape.layers() * (attention + 3 * width * shape.feedForward())
        + width * shape.vocabulary();
  }

  /** Writes and loads it, as training wants it. */
  public Model model(Path folder, DType type) throws IOException {
    Path file = MadeModel.write(folder.resolve(name + type + ".gguf"), shape, type, 1);
    return Model.load(file, LoadOptions.defaults().withRepack(Repacking.NONE).withGpuLayers(0));
  }

  /** So many steps of text: most tokens follow from the one before, the rest are random. */
  public Packing data(int steps) {
    SplittableRandom random = new SplittableRandom(3);
    List<Example> examples = new ArrayList<>();
    for (int i = 0; i < steps * SEQUENCES; i++) {
      int[] tokens = new int[LENGTH + 1];
      tokens[0] = random.nextInt(shape.vocabulary());
      for (int t = 1; t <= LENGTH; t++) {
        tokens[t] =
            random.nextInt(10) < 7
                ? (tokens[t - 1] % 64 * 5 + 7) % shape.vocabulary()
                : random.nextInt(shape.vocabulary());
      }
      examples.add(Example.text(tokens));
    }
    return new Packing(examples, SEQUENCES * LENGTH, 0, LENGTH, true, 1);
  }
}
