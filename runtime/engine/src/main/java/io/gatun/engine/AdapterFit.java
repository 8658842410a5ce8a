package io.gatun.engine;

import io.gatun.model.Hyperparams;
import io.gatun.model.Model;
import io.gatun.model.adapter.Adapter;
import io.gatun.model.adapter.ControlVector;
import io.gatun.model.adapter.KeyValuePrefix;
import io.gatun.model.adapter.LoraAdapter;
import io.gatun.model.adapter.LowRank;
import io.gatun.model.adapter.SoftPrompt;
import io.gatun.tensor.Shape;
import io.gatun.tensor.ShapeException;

/** Whether an adapter is one for a model. */
final class AdapterFit {
  private AdapterFit() {}

  /** Throws {@link ShapeException}, naming the first thing that does not fit. */
  static void require(Model model, Adapter adapter) {
    Hyperparams h = model.hyperparams();
    // Control vectors need not say for which architecture they are.
    if (!adapter.architecture().isEmpty() && !adapter.architecture().equals(h.architecture())) {
      throw new ShapeException(
          "adapter %s is for architecture %s, but %s is %s"
              .formatted(adapter.name(), adapter.architecture(), model.name(), h.architecture()));
    }
    switch (adapter) {
      case LoraAdapter lora -> lora.deltas().forEach((name, d) -> matrix(model, lora, name, d));
      case SoftPrompt soft -> width(model, soft, soft.width());
      case KeyValuePrefix prefix -> {
        int keys = h.kvHeadCount() * h.headDim();
        int values = h.kvHeadCount() * h.valueDim();
        if (prefix.layers() != h.layerCount()
            || prefix.keyWidth() != keys
            || prefix.valueWidth() != values) {
          throw new ShapeException(
              "adapter %s has keys of %d and values of %d in %d layers, but %s has %d and %d in %d"
                  .formatted(
                      prefix.name(),
                      prefix.keyWidth(),
                      prefix.valueWidth(),
                      prefix.layers(),
                      model.name(),
                      keys,
                      values,
                      h.layerCount()));
        }
      }
      case ControlVector vector -> {
        width(model, vector, vector.width());
        vector
            .directions()
            .keySet()
            .forEach(layer -> {
              if (layer >= h.layerCount()) {
                throw new ShapeException(
                    "adapter %s has a direction for layer %d, but %s has only %d layers"
                        .formatted(vector.name(), layer, model.name(), h.layerCount()));
              }
            });
      }
    }
  }

  private static void matrix(Model model, LoraAdapter lora, String name, LowRank delta) {
    Shape shape =
        model
            .weights()
            .find(name + ".weight")
            .orElseThrow(() ->
                new ShapeException(
                    "adapter %s changes %s.weight, which %s does not have"
                        .formatted(lora.name(), name, model.name())))
            .shape();
    if (shape.d0() != delta.in() || shape.d1() != delta.out() || shape.d2() != delta.experts()) {
      throw new ShapeException(
          "adapter %s: %s is for [%d, %d, %d], but %s has %s"
              .formatted(
                  lora.name(),
                  name,
                  delta.in(),
                  delta.out(),
                  delta.experts(),
                  model.name(),
                  shape));
    }
  }

  private static void width(Model model, Adapter adapter, int width) {
    int expected = model.hyperparams().embeddingLength();
    if (width != expected) {
      throw new ShapeException(
          "adapter %s has rows of %d, but %s has an embedding of %d"
              .formatted(adapter.name(), width, model.name(), expected));
    }
  }
}
