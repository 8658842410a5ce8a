package io.gatun.model;

import io.gatun.tensor.DType;
import io.gatun.tensor.Graph;
import io.gatun.tensor.GraphBuilder;
import io.gatun.tensor.RopeParameters;
import io.gatun.tensor.Shape;
import io.gatun.tensor.Tensor;
import java.util.Optional;

/**
 * The graph that moves cached keys to earlier positions: a key at position p is turned by p·θ, so
 * turning it back by n·θ makes it one at p − n (arXiv 2104.09864). Values know no positions.
 *
 * @param cells I64 [T], whose keys move; the same cell may come twice with the same distance
 * @param rows I32 [T], the same numbers
 * @param distances I32 [T], by how many positions
 * @param empty whether no layer's keys know positions, so that there is nothing to run
 */
public record KeyShift(Graph graph, Tensor cells, Tensor rows, Tensor distances, boolean empty) {

  /**
   * Builds the graph for layers of one kind.
   *
   * @param windowed whether for layers with cells of their own, or for the others
   * @throws UnsupportedModelException when keys of this model cannot move
   */
  public static KeyShift build(Model model, KvStore store, boolean windowed, int count) {
    KeyTurns turns = KeyTurns.of(model, store.size().cells());
    int bound = windowed ? store.size().windowed() : store.size().cells();
    GraphBuilder g = new GraphBuilder();
    Tensor cells = g.indices("cells", DType.I64, bound, count);
    Tensor rows = g.indices("rows", DType.I32, bound, count);
    Tensor distances = g.indices("distances", DType.I32, Integer.MAX_VALUE, count);
    Tensor last = distances;
    for (int layer = 0; layer < turns.layers().size(); layer++) {
      Optional<KeyTurns.Turn> turn = turns.layers().get(layer);
      if (turn.isPresent() && store.windowed(layer) == windowed) {
        last = move(g, model.hyperparams(), store, layer, turn.get(), cells, rows, distances);
      }
    }
    g.output(last);
    return new KeyShift(g.build(), cells, rows, distances, last == distances);
  }

  private static Tensor move(
      GraphBuilder g,
      Hyperparams h,
      KvStore store,
      int layer,
      KeyTurns.Turn turn,
      Tensor cells,
      Tensor rows,
      Tensor distances) {
    Tensor keys = g.stored(store.keys(layer));
    Optional<Tensor> hadamard = store.keyTurn(layer).map(g::stored);
    Tensor heads = keys.getRows(rows).reshape(h.headDim(), h.kvHeadCount(), rows.shape().d0());
    // Hadamard's matrix is its own inverse.
    Tensor plain = CachedAttention.turned(hadamard, heads);
    Tensor stored = CachedAttention.turned(hadamard, moved(g, plain, turn, distances));
    Shape s = stored.shape();
    Tensor flat = stored.reshape(s.d0() * s.d1(), s.d2());
    var _ = keys.setRows(flat, cells);
    return flat;
  }

  /** Keys [D, G, T] turned back, all of them or their last numbers. */
  private static Tensor moved(GraphBuilder g, Tensor plain, KeyTurns.Turn turn, Tensor distances) {
    if (turn.from() == 0) {
      return back(g, plain, turn, distances);
    }
    long element = plain.type().blockBytes();
    Shape known = plain.shape().with(0, turn.from());
    Shape turned = plain.shape().with(0, plain.shape().d0() - turn.from());
    Tensor last = back(g, plain.view(turned, turn.from() * element), turn, distances);
    return plain.view(known, 0).concat(last, 0);
  }

  private static Tensor back(GraphBuilder g, Tensor keys, KeyTurns.Turn turn, Tensor distances) {
    RopeParameters pure = pure(turn.parameters());
    return turn.factors()
        .map(f -> keys.ropeBack(distances, g.stored(f), pure))
        .orElseGet(() -> keys.ropeBack(distances, pure));
  }

  /** The same angles with a magnitude of 1, which keys got when they were turned first. */
  private static RopeParameters pure(RopeParameters p) {
    // ggml multiplies by 1 + 0.1·ln(1/scale) when it mixes YaRN's extrapolation in.
    double yarn = p.extFactor() == 0 ? 1 : 1 + 0.1 * Math.log(1 / p.scale());
    return p.withAttentionFactor((float) (1 / yarn));
  }
}
