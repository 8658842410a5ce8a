package io.gatun.model;

import io.gatun.tensor.DType;
import io.gatun.tensor.Graph;
import io.gatun.tensor.GraphBuilder;
import io.gatun.tensor.Tensor;
import java.util.Optional;
import java.util.function.Function;

/**
 * The graph of one step: T rows in, logits of N of them out. Owns the loop over layers. A value.
 *
 * @param tokens I32 [T]
 * @param positions I32 [T]
 * @param cells I64 [T]
 * @param mask F16 [S, T]
 * @param slidingMask F16 [S, T]
 * @param full whether some layer uses the mask
 * @param slides whether some layer uses the sliding mask
 * @param outputRows I32 [N]
 * @param logits F32 [V, N]
 */
public record DecoderGraph(
    Graph graph,
    Tensor tokens,
    Tensor positions,
    Tensor cells,
    Tensor mask,
    Tensor slidingMask,
    Tensor outputRows,
    Tensor logits,
    boolean full,
    boolean slides) {

  /** What distinguishes the graphs of one model: equal keys mean the same graph. */
  public record Key(int rows, int kvLength, int outputs) {}

  /** Builds the graph over a cache. */
  public static DecoderGraph build(Model model, KvStore store, Key key) {
    return build(model, store, key, _ -> Modifier.NONE);
  }

  /**
   * Builds the graph over a cache with changes.
   *
   * @param changes makes what changes the graph, which may have inputs of its own
   */
  public static DecoderGraph build(
      Model model, KvStore store, Key key, Function<GraphBuilder, Modifier> changes) {
    GraphBuilder g = new GraphBuilder();
    Hyperparams h = model.hyperparams();
    Tensor tokens = g.indices("tokens", DType.I32, model.vocabularySize(), key.rows());
    Tensor positions = g.indices("positions", DType.I32, Integer.MAX_VALUE, key.rows());
    Tensor cells = g.indices("cells", DType.I64, store.cells(), key.rows());
    Tensor mask = g.input("mask", DType.F16, key.kvLength(), key.rows());
    Tensor sliding = g.input("sliding_mask", DType.F16, key.kvLength(), key.rows());
    Tensor outputRows = g.indices("output_rows", DType.I32, key.rows(), key.outputs());
    AttentionPath path = new CachedAttention(store, cells, key.kvLength(), mask, sliding);
    Pass pass =
        new Pass(
            model,
            g,
            positions,
            Optional.of(outputRows),
            model.frequencyFactors(store.cells()).map(g::stored),
            path,
            changes.apply(g));

    Architecture architecture = model.architecture();
    ModelScope scope = new ModelScope(pass, "");
    Tensor x = pass.modifier().embedded(architecture.embed(scope, tokens));
    for (int layer = 0; layer < h.layerCount(); layer++) {
      x = pass.modifier().layer(layer, architecture.layer(new LayerScope(pass, layer), x));
    }
    Tensor logits = architecture.head(scope, x);
    g.output(logits);
    Graph graph = g.build();
    return new DecoderGraph(
        graph,
        tokens,
        positions,
        cells,
        mask,
        sliding,
        outputRows,
        logits,
        graph.hasInput("mask"),
        graph.hasInput("sliding_mask"));
  }
}
