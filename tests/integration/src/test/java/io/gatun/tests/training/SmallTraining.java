package io.gatun.tests.training;

import io.gatun.adapters.training.Example;
import io.gatun.adapters.training.Optimizer;
import io.gatun.adapters.training.Packing;
import io.gatun.adapters.training.TrainerOptions;
import io.gatun.adapters.training.TrainingListener;
import io.gatun.engine.AdapterUse;
import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.GenerateRequest;
import io.gatun.engine.LogitsObserver;
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
import java.util.SplittableRandom;
import java.util.function.Consumer;

/** What tests of training share: small models, random texts, and the engine's view of a loss. */
final class SmallTraining {
  static final int ROWS = 64;

  private SmallTraining() {}

  /** A made model in a folder, loaded as training needs it. */
  static Model model(Path folder, ModelShape shape, DType type) throws IOException {
    return Model.load(MadeModel.write(folder.resolve("m.gguf"), shape, type, 1), plain());
  }

  static LoadOptions plain() {
    return LoadOptions.defaults().withRepack(Repacking.NONE).withGpuLayers(0);
  }

  static TrainerOptions options(long steps) {
    return TrainerOptions.defaults()
        .withBatch(ROWS, 1)
        .withSteps(steps)
        .withOptimizer(Optimizer.adamW(1e-2f));
  }

  /** Hears of each step, and of nothing else. */
  static TrainingListener onStep(Consumer<TrainingListener.Step> hears) {
    return new TrainingListener() {
      @Override
      public void step(Step step) {
        hears.accept(step);
      }
    };
  }

  static Packing text(int count, int length) {
    return new Packing(examples(count, length), ROWS, 0, 32, false, 1);
  }

  static List<Example> examples(int count, int length) {
    SplittableRandom random = new SplittableRandom(3);
    List<Example> examples = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      examples.add(Example.text(random.ints(length, 0, 320).toArray()));
    }
    return examples;
  }

  /** Mean of −ln p of all tokens but each first one, as the engine rates them. */
  static double loss(Model model, List<Example> examples, List<AdapterUse> uses)
      throws InterruptedException {
    double[] sum = new double[1];
    int[] count = new int[1];
    try (Engine engine =
        Engine.open(model, EngineOptions.defaults().withContextTokens(256).withThreads(1))) {
      for (Example example : examples) {
        int[] tokens = example.tokens();
        LogitsObserver observer =
            new LogitsObserver() {
              @Override
              public void observe(int position, float[] logits, int size) {
                int at = position - soft(uses);
                if (at >= 0 && at + 1 < tokens.length) {
                  sum[0] += logSum(logits, size) - logits[tokens[at + 1]];
                  count[0]++;
                }
              }

              @Override
              public boolean everyRow() {
                return true;
              }
            };
        var _ =
            engine
                .submit(
                    GenerateRequest.of(tokens)
                        .withMaxTokens(0)
                        .withObserver(observer)
                        .withAdapters(uses))
                .finishReason();
      }
    }
    return sum[0] / count[0];
  }

  private static int soft(List<AdapterUse> uses) {
    return uses.stream()
        .mapToInt(u ->
            switch (u.adapter()) {
              case io.gatun.model.adapter.SoftPrompt s -> s.rows();
              case io.gatun.model.adapter.KeyValuePrefix p -> p.rows();
              default -> 0;
            })
        .sum();
  }

  private static double logSum(float[] logits, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += Math.exp(logits[i]);
    }
    return Math.log(sum);
  }
}
