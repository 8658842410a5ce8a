package io.gatun.model;

import io.gatun.tensor.DType;
import io.gatun.tensor.Graph;
import io.gatun.tensor.GraphBuilder;
import io.gatun.tensor.Tensor;
import java.util.Optional;

/**
 * The graph that turns texts into vectors: T rows of B texts in, B vectors out. No cache. A value.
 *
 * @param tokens I32 [T]
 * @param positions I32 [T], from 0 in each text
 * @param temperatures F32 [1, 1, T], by how much queries grow; used where they do
 * @param mask F16 [T, T]: 0 or, for models with {@link Architecture#distances}, how far away with a
 *     minus; −∞ for rows of other texts
 * @param slidingMask the same for layers with a window
 * @param rows I32 [B], the row that stands for each text; used unless the pooling is an average
 * @param shares F32 [T, B], 1/length for the rows of each text; used when the pooling is an average
 * @param vectors F32 [E or labels, B]
 */
public record EmbeddingGraph(
    Graph graph,
    Tensor tokens,
    Tensor positions,
    Tensor temperatures,
    Tensor mask,
    Tensor slidingMask,
    Tensor rows,
    Tensor shares,
    Tensor vectors) {

  /** What distinguishes the graphs of one model: T and B. */
  public record Key(int rows, int texts) {}

  /** Builds the graph. */
  public static EmbeddingGraph build(Model model, Key key, Pooling pooling) {
    GraphBuilder g = new GraphBuilder();
    Tensor tokens = g.indices("tokens", DType.I32, model.vocabularySize(), key.rows());
    int positionsMax = model.hyperparams().contextLength();
    Tensor positions = g.indices("positions", DType.I32, positionsMax, key.rows());
    Tensor temperatures = g.input("temperatures", DType.F32, 1, 1, key.rows());
    Tensor mask = g.input("mask", DType.F16, key.rows(), key.rows());
    Tensor sliding = g.input("sliding_mask", DType.F16, key.rows(), key.rows());
    Tensor rows = g.indices("rows", DType.I32, key.rows(), key.texts());
    Tensor shares = g.input("shares", DType.F32, key.rows(), key.texts());
    boolean average = averages(model, pooling);
    Pass pass =
        new Pass(
            model,
            model.weights()::find,
            g,
            positions,
            temperatures,
            average ? Optional.empty() : Optional.of(rows),
            model.frequencyFactors(model.hyperparams().contextLength()).map(g::stored),
            new FreshAttention(mask, sliding),
            Modifier.NONE);
    Tensor hidden = LayerLoop.hidden(pass, tokens, _ -> {}); // [E, T or B]
    Tensor pooled = average ? hidden.transpose().dense().matMul(shares) : hidden; // [E, B]
    ModelScope scope = new ModelScope(pass, "");
    Tensor vectors =
        pooling == Pooling.RANK
            ? model.architecture().scores(scope, pooled)
            : projected(scope, pooled);
    g.output(vectors);
    return new EmbeddingGraph(
        g.build(), tokens, positions, temperatures, mask, sliding, rows, shares, vectors);
  }

  /** Whether all rows of a text matter, and not one that stands for it. */
  public static boolean averages(Model model, Pooling pooling) {
    return pooling == Pooling.MEAN
        || (pooling == Pooling.RANK && model.architecture().ranksByAverage());
  }

  /** Two more matrices of sentence-transformers models, where the file has them. */
  private static Tensor projected(ModelScope s, Tensor x) {
    Tensor y = x;
    for (String dense : new String[] {"dense_2", "dense_3"}) {
      y = s.has(dense + ".weight") ? s.linear(dense, y) : y;
    }
    return y;
  }
}
