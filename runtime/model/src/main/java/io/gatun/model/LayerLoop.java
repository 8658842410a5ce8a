package io.gatun.model;

import io.gatun.tensor.Tensor;
import java.util.function.Consumer;

/** The loop over layers, which no {@link Architecture} has: tokens in, logits out. */
final class LayerLoop {
  private LayerLoop() {}

  /**
   * Appends a whole model.
   *
   * @param tokens I32 [T]
   * @param layerInputs is told the hidden state that each layer gets
   * @return logits [V, N]
   */
  static Tensor run(Pass pass, Tensor tokens, Consumer<Tensor> layerInputs) {
    Tensor hidden = hidden(pass, tokens, layerInputs);
    return pass.model().architecture().head(new ModelScope(pass, ""), hidden);
  }

  /**
   * Appends a model without its read-out.
   *
   * @return what the read-out would get, [E, N]
   */
  static Tensor hidden(Pass pass, Tensor tokens, Consumer<Tensor> layerInputs) {
    Architecture architecture = pass.model().architecture();
    ModelScope scope = new ModelScope(pass, "");
    Tensor x = pass.modifier().embedded(architecture.embed(scope, tokens));
    for (int layer = 0; layer < pass.model().hyperparams().layerCount(); layer++) {
      layerInputs.accept(x);
      x = pass.modifier().layer(layer, architecture.layer(new LayerScope(pass, layer), x));
    }
    return architecture.finish(scope, x);
  }
}
