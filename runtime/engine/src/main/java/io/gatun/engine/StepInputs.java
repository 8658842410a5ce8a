package io.gatun.engine;

import io.gatun.model.AttentionWindow;
import io.gatun.model.DecoderGraph;
import io.gatun.model.Model;
import io.gatun.model.Temperature;
import io.gatun.tensor.CompiledGraph;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Writes a batch into a graph's inputs: tokens, positions, cells, and which cells each row may see.
 *
 * @owner the engine's thread
 */
final class StepInputs {
  private static final short VISIBLE = 0;

  /** −∞ in F16. */
  private static final short HIDDEN = (short) 0xfc00;

  private final AttentionWindow window;
  private final Optional<Temperature> temperature;
  private final Shaped[] shaped;
  private short[] mask = {};

  /** Arrays of one batch size, kept so that a step allocates nothing. */
  private record Shaped(int[] tokens, int[] positions, long[] cells, long[] windowed) {
    static Shaped of(int rows) {
      return new Shaped(new int[rows], new int[rows], new long[rows], new long[rows]);
    }
  }

  StepInputs(int batchRows, Model model) {
    this.shaped = new Shaped[batchRows + 1];
    this.window = model.hyperparams().window();
    this.temperature = model.architecture().temperature(model.hyperparams());
  }

  void write(Batch batch, DecoderGraph graph, CompiledGraph target) {
    int rows = batch.rows();
    Shaped arrays = shaped[rows];
    if (arrays == null) {
      arrays = Shaped.of(rows);
      shaped[rows] = arrays;
    }
    for (int row = 0; row < rows; row++) {
      Sequence sequence = batch.sequence(row);
      int position = batch.position(row);
      arrays.tokens()[row] = sequence.token(position);
      arrays.positions()[row] = position;
      arrays.cells()[row] = sequence.cells().at(position);
      arrays.windowed()[row] = sequence.cells().windowedAt(position);
    }
    target.write(graph.tokens(), arrays.tokens());
    target.write(graph.positions(), arrays.positions());
    if (graph.temperatures().isPresent() && temperature.isPresent()) {
      target.write(graph.temperatures().get(), temperature.get().at(arrays.positions()));
    }
    target.write(graph.outputRows(), outputRows(batch));
    write(graph.full(), arrays.cells(), () -> mask(batch, graph.full(), false), target);
    write(graph.windowed(), arrays.windowed(), () -> mask(batch, graph.windowed(), true), target);
  }

  private static void write(
      DecoderGraph.Cells cells, long[] rows, Supplier<short[]> mask, CompiledGraph target) {
    if (cells.written()) {
      target.write(cells.rows(), rows);
    }
    if (cells.masked()) {
      target.write(cells.mask(), mask.get(), (int) cells.mask().shape().elements());
    }
  }

  /** A step without outputs still computes one row: a graph of no rows cannot be built. */
  private static int[] outputRows(Batch batch) {
    int[] rows = new int[Math.max(1, batch.outputs())];
    for (int i = 0; i < batch.outputs(); i++) {
      rows[i] = batch.outputRow(i);
    }
    return rows;
  }

  /** [S, T]: a row sees its own sequence's cells up to its position, at most a window of them. */
  private short[] mask(Batch batch, DecoderGraph.Cells graph, boolean windowed) {
    int kvLength = (int) graph.mask().shape().d0();
    int needed = batch.rows() * kvLength;
    if (mask.length < needed) {
      mask = new short[needed];
    }
    Arrays.fill(mask, 0, needed, HIDDEN);
    for (int row = 0; row < batch.rows(); row++) {
      CellList cells = batch.sequence(row).cells();
      int position = batch.position(row);
      int first = windowed ? Math.max(cells.held(), window.first(position)) : 0;
      for (int p = first; p <= position; p++) {
        mask[row * kvLength + (windowed ? cells.windowedAt(p) : cells.at(p))] = VISIBLE;
      }
    }
    return mask;
  }
}
