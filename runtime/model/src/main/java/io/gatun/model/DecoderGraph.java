package io.gatun.model;

import io.gatun.tensor.DType;
import io.gatun.tensor.Graph;
import io.gatun.tensor.GraphBuilder;
import io.gatun.tensor.Tensor;
import java.util.Optional;
import java.util.function.Function;

/**
 * The graph of one step: T rows in, logits of N of them out. A value.
 *
 * @param tokens I32 [T]
 * @param positions I32 [T]
 * @param temperatures F32 [1, 1, T], by how much queries grow; empty where they do not
 * @param full cells I64 [T] and mask F16 [S, T] of layers that see everything
 * @param windowed the same of layers with a window
 * @param outputRows I32 [N]
 * @param logits F32 [V, N]
 * @param weights how attention of some rows is spread, if that is wanted
 */
public record DecoderGraph(
    Graph graph,
    Tensor tokens,
    Tensor positions,
    Optional<Tensor> temperatures,
    Cells full,
    Cells windowed,
    Tensor outputRows,
    Tensor logits,
    Optional<Weights> weights) {

  /**
   * What distinguishes the graphs of one model: equal keys mean the same graph.
   *
   * @param rows T
   * @param kvLength S of layers that see everything
   * @param windowLength S of layers with a window
   * @param outputs N
   * @param weighed M, of how many rows the attention is wanted; mostly 0
   */
  public record Key(int rows, int kvLength, int windowLength, int outputs, int weighed) {
    public Key(int rows, int kvLength, int windowLength, int outputs) {
      this(rows, kvLength, windowLength, outputs, 0);
    }
  }

  /**
   * How much of their attention some rows give to each cell.
   *
   * @param rows I32 [M]
   * @param means F32 [S, M], over layers that see everything and their heads
   */
  public record Weights(Tensor rows, Tensor means) {}

  /**
   * Where rows go in layers of one kind, and what they see.
   *
   * @param rows I64 [T]
   * @param mask F16 [S, T]
   * @param written whether the rows are an input of their own
   * @param masked whether some layer reads the mask
   */
  public record Cells(Tensor rows, Tensor mask, boolean written, boolean masked) {}

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
    Tensor tokens = g.indices("tokens", DType.I32, model.vocabularySize(), key.rows());
    Tensor positions = g.indices("positions", DType.I32, Integer.MAX_VALUE, key.rows());
    KvSize size = store.size();
    Tensor cells = g.indices("cells", DType.I64, size.cells(), key.rows());
    Tensor windowCells =
        size.split() ? g.indices("window_cells", DType.I64, size.windowed(), key.rows()) : cells;
    Tensor temperatures = g.input("temperatures", DType.F32, 1, 1, key.rows());
    Tensor mask = g.input("mask", DType.F16, key.kvLength(), key.rows());
    Tensor windowMask = g.input("window_mask", DType.F16, key.windowLength(), key.rows());
    Tensor outputRows = g.indices("output_rows", DType.I32, key.rows(), key.outputs());
    CachedAttention cached =
        new CachedAttention(
            store,
            new CachedAttention.Cells(cells, key.kvLength(), mask),
            new CachedAttention.Cells(windowCells, key.windowLength(), windowMask));
    Tensor weighedRows =
        g.indices("weighed_rows", DType.I32, key.rows(), Math.max(1, key.weighed()));
    WeighedAttention weighed = new WeighedAttention(cached, weighedRows);
    Pass pass =
        new Pass(
            model,
            model.weights()::find,
            g,
            positions,
            temperatures,
            Optional.of(outputRows),
            model.frequencyFactors(store.size().cells()).map(g::stored),
            key.weighed() > 0 ? weighed : cached,
            changes.apply(g));

    Tensor logits = LayerLoop.run(pass, tokens, _ -> {});
    g.output(logits);
    Optional<Weights> weights =
        key.weighed() > 0
            ? Optional.of(new Weights(weighedRows, weighed.mean()))
            : Optional.empty();
    weights.ifPresent(w -> g.output(w.means()));
    Graph graph = g.build();
    boolean windowed = graph.hasInput("window_mask");
    return new DecoderGraph(
        graph,
        tokens,
        positions,
        Optional.of(temperatures).filter(t -> graph.hasInput(t.name())),
        new Cells(cells, mask, graph.hasInput("cells"), graph.hasInput("mask")),
        new Cells(windowCells, windowMask, size.split() && windowed, windowed),
        outputRows,
        logits,
        weights);
  }
}
