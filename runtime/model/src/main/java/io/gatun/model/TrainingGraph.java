package io.gatun.model;

import io.gatun.tensor.DType;
import io.gatun.tensor.GraphBuilder;
import io.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * A model's forward pass as training needs it: all rows' logits, no cache, weights from wherever
 * the caller says. Losses, gradients and updates are appended to the same builder. A value.
 *
 * @param tokens I32 [T]
 * @param positions I32 [T]
 * @param temperatures F32 [1, 1, T], by how much queries grow; used where they do
 * @param mask F16 [P+T, T], 0 or −∞; used when the model has full layers
 * @param slidingMask F16 [P+T, T] for layers with a window
 * @param logits F32 [V, T]
 * @param layerInputs what each layer takes, [E, T]: boundaries for recomputation
 */
public record TrainingGraph(
    GraphBuilder graph,
    Tensor tokens,
    Tensor positions,
    Tensor temperatures,
    Tensor mask,
    Tensor slidingMask,
    Tensor logits,
    List<Tensor> layerInputs) {

  /**
   * Appends the forward pass of T rows.
   *
   * @param before P, how many keys and values the changes have {@link Modifier#before} the rows
   * @param weights what takes the place of the model's weights, by name; empty for the model's own
   * @param changes adapters and the like
   */
  public static TrainingGraph build(
      Model model,
      int rows,
      int before,
      WeightSource weights,
      Function<GraphBuilder, Modifier> changes) {
    GraphBuilder g = new GraphBuilder();
    Tensor tokens = g.indices("tokens", DType.I32, model.vocabularySize(), rows);
    Tensor positions = g.indices("positions", DType.I32, Integer.MAX_VALUE, rows);
    Tensor temperatures = g.input("temperatures", DType.F32, 1, 1, rows);
    Tensor mask = g.input("mask", DType.F16, before + rows, rows);
    Tensor sliding = g.input("sliding_mask", DType.F16, before + rows, rows);
    // A tied output may have a rearranged copy, which would not learn: only what the file has.
    WeightSource all =
        name ->
            weights
                .find(name)
                .or(() -> model.file().tensor(name).flatMap(t -> model.weights().find(t.name())));
    Pass pass =
        new Pass(
            model,
            all,
            g,
            positions,
            temperatures,
            Optional.empty(),
            model.frequencyFactors(model.hyperparams().contextLength()).map(g::stored),
            new FreshAttention(mask, sliding),
            changes.apply(g));
    List<Tensor> layerInputs = new ArrayList<>();
    Tensor logits = LayerLoop.run(pass, tokens, layerInputs::add);
    return new TrainingGraph(
        g, tokens, positions, temperatures, mask, sliding, logits, layerInputs);
  }
}
