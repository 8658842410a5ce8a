package io.gatun.adapters.training;

import io.gatun.model.Model;
import io.gatun.model.WeightSource;
import io.gatun.model.gguf.GgufWriter;
import io.gatun.model.gguf.TensorInfo;
import io.gatun.tensor.DType;
import io.gatun.tensor.Quantization;
import io.gatun.tensor.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * The model's own weights, or some of them; the rest stays frozen. Trained ones are F32 while they
 * are trained. A tied embedding is one tensor with one gradient.
 *
 * @param targets which ones, by their names in the file
 */
public record FullParameters(Pattern targets) implements Parameters {
  /** Everything but tables that are no weights. */
  public static FullParameters all() {
    return new FullParameters(Pattern.compile(".*"));
  }

  @Override
  public Map<String, Shape> shapes(Model model) {
    Map<String, Shape> shapes = new LinkedHashMap<>();
    for (TensorInfo tensor : model.file().tensors()) {
      if (targets.matcher(tensor.name()).find()
          && !tensor.name().startsWith("rope_")
          && !tensor.name().contains("exp_probs_b") // only chooses experts: without a gradient
          && model.hyperparams().computes(tensor.name())) {
        shapes.put(tensor.name(), tensor.shape());
      }
    }
    if (shapes.isEmpty()) {
      throw new IllegalArgumentException(
          "no tensor of %s matches \"%s\"".formatted(model.name(), targets));
    }
    return shapes;
  }

  @Override
  public float[] initial(Model model, String name, Shape shape, SplittableRandom random) {
    return WeightValues.read(model, name);
  }

  @Override
  public WeightSource weights(WeightSource trained) {
    return trained;
  }

  @Override
  public boolean decays(String name) {
    return name.endsWith(".weight") && !name.contains("norm");
  }

  /**
   * Writes the model with its trained weights, and everything else as it was.
   *
   * @param values the trained numbers by name
   * @param type of matrices; vectors stay F32
   */
  public void write(Model model, Function<String, float[]> values, DType type, Path file)
      throws IOException {
    Map<String, Shape> trained = shapes(model);
    GgufWriter out = new GgufWriter();
    model.file().metadata().values().forEach(out::put);
    for (TensorInfo tensor : model.file().tensors()) {
      int width = (int) tensor.shape().d0();
      if (!trained.containsKey(tensor.name())) {
        out.tensor(tensor.name(), tensor.type(), tensor.shape(), WeightValues.bytes(model, tensor));
        continue;
      }
      boolean matrix = tensor.shape().d1() > 1 && width % type.blockSize() == 0;
      DType kept = matrix ? type : DType.F32;
      out.tensor(
          tensor.name(),
          kept,
          tensor.shape(),
          Quantization.quantize(kept, values.apply(tensor.name()), width));
    }
    out.write(file);
  }
}
