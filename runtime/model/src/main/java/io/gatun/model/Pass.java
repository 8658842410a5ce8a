package io.gatun.model;

import io.gatun.tensor.GraphBuilder;
import io.gatun.tensor.Tensor;
import java.util.Optional;

/**
 * Everything that building one graph depends on besides the model: its rows, where keys and values
 * are, and which rows' logits are wanted.
 *
 * @param weights the model's, or others in their place
 * @param positions I32 [T]
 * @param temperatures F32 [1, 1, T], by how much queries grow with their position
 * @param outputRows I32 [N], empty when all rows are wanted
 * @param frequencyFactors F32 [dims/2] of rotary positions, when the file has them
 */
record Pass(
    Model model,
    WeightSource weights,
    GraphBuilder graph,
    Tensor positions,
    Tensor temperatures,
    Optional<Tensor> outputRows,
    Optional<Tensor> frequencyFactors,
    AttentionPath path,
    Modifier modifier) {

  Tensor attend(LayerScope s, Tensor q, Tensor k, Tensor v, LayerScope.Attention options) {
    return path.attend(this, s, q, k, v, options);
  }
}
