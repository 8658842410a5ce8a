package io.gatun.model.adapter;

import io.gatun.model.gguf.GgufFile;
import io.gatun.model.gguf.TensorInfo;
import io.gatun.tensor.Shape;
import io.gatun.tensor.ShapeException;
import java.util.Optional;
import java.util.function.Function;

/** Whether an adapter is one for a model. */
public final class AdapterCheck {
  private AdapterCheck() {}

  /**
   * What an adapter is compared with.
   *
   * @param name the model's, for messages
   * @param architecture {@code general.architecture}
   * @param layers L
   * @param width E
   * @param keyWidth length of a token's keys in a layer, all heads together; 0 where not known
   * @param valueWidth the same of values; 0 where they are a part of the keys
   * @param shapes of the model's tensors by their whole name
   */
  public record Target(
      String name,
      String architecture,
      long layers,
      long width,
      long keyWidth,
      long valueWidth,
      Function<String, Optional<Shape>> shapes) {

    /** A model as its file's header describes it. */
    public static Target of(GgufFile file) {
      String architecture = required(file, "general.architecture");
      return new Target(
          String.valueOf(file.parts().getFirst().getFileName()),
          architecture,
          number(file, architecture + ".block_count"),
          number(file, architecture + ".embedding_length"),
          0,
          0,
          tensor -> file.tensor(tensor).map(TensorInfo::shape));
    }

    private static String required(GgufFile file, String key) {
      return file.metadata().text(key).orElseThrow(() -> file.metadata().missing(key));
    }

    private static long number(GgufFile file, String key) {
      return file.metadata().integer(key).orElseThrow(() -> file.metadata().missing(key));
    }
  }

  /**
   * Compares with a model's file.
   *
   * @throws ShapeException when it does not fit, naming adapter, matrix and both shapes
   */
  public static void require(Adapter adapter, GgufFile model) {
    require(adapter, Target.of(model));
  }

  /**
   * Compares with a model.
   *
   * @throws ShapeException when it does not fit, naming adapter, matrix and both shapes
   */
  public static void require(Adapter adapter, Target model) {
    // Control vectors need not say for which architecture they are.
    if (!adapter.architecture().isEmpty() && !adapter.architecture().equals(model.architecture())) {
      throw new ShapeException(
          "the adapter %s is for the architecture %s, but %s is %s"
              .formatted(
                  adapter.name(), adapter.architecture(), model.name(), model.architecture()));
    }
    switch (adapter) {
      case LoraAdapter lora ->
          lora.deltas().forEach((matrix, delta) -> matrix(lora, matrix, delta, model));
      case SoftPrompt soft -> width(soft, soft.width(), model);
      case KeyValuePrefix prefix -> prefix(prefix, model);
      case ControlVector vector -> {
        width(vector, vector.width(), model);
        for (int layer : vector.directions().keySet()) {
          if (layer >= model.layers()) {
            throw new ShapeException(
                "the adapter %s has a direction for layer %d, but %s has %d layers"
                    .formatted(vector.name(), layer, model.name(), model.layers()));
          }
        }
      }
    }
  }

  private static void matrix(LoraAdapter lora, String matrix, LowRank delta, Target model) {
    Shape shape =
        model
            .shapes()
            .apply(matrix + ".weight")
            .orElseThrow(() ->
                new ShapeException(
                    "the adapter %s changes %s.weight, which %s does not have"
                        .formatted(lora.name(), matrix, model.name())));
    if (shape.d2() > 1 && !matrix.contains("_exps")) {
      throw new ShapeException(
          "the adapter %s changes %s.weight, which has a part for each head of %s: that is not supported"
              .formatted(lora.name(), matrix, model.name()));
    }
    Shape changed = Shape.of(delta.in(), delta.out(), delta.experts());
    if (!shape.equals(changed)) {
      throw new ShapeException(
          "the adapter %s changes a %s.weight of %s, but that of %s is %s"
              .formatted(lora.name(), matrix, changed, model.name(), shape));
    }
  }

  private static void prefix(KeyValuePrefix prefix, Target model) {
    if (prefix.layers() != model.layers()) {
      throw new ShapeException(
          "the adapter %s has keys and values for %d layers, but %s has %d"
              .formatted(prefix.name(), prefix.layers(), model.name(), model.layers()));
    }
    boolean known = model.keyWidth() > 0;
    if (known && model.valueWidth() == 0) {
      throw new ShapeException(
          "the adapter %s has keys and values of its own, but in %s values are a part of the keys; use a soft prompt instead"
              .formatted(prefix.name(), model.name()));
    }
    if (known
        && (prefix.keyWidth() != model.keyWidth() || prefix.valueWidth() != model.valueWidth())) {
      throw new ShapeException(
          "the adapter %s has keys of %d and values of %d, but those of %s have %d and %d"
              .formatted(
                  prefix.name(),
                  prefix.keyWidth(),
                  prefix.valueWidth(),
                  model.name(),
                  model.keyWidth(),
                  model.valueWidth()));
    }
  }

  private static void width(Adapter adapter, int width, Target model) {
    if (width != model.width()) {
      throw new ShapeException(
          "the adapter %s has rows of %d, but the embeddings of %s have %d"
              .formatted(adapter.name(), width, model.name(), model.width()));
    }
  }
}
