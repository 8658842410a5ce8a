package io.gatun.adapters.training;

import io.gatun.tensor.CompiledGraph;
import io.gatun.tensor.DType;
import io.gatun.tensor.GraphBuilder;
import io.gatun.tensor.Op;
import io.gatun.tensor.Tensor;
import io.gatun.tensor.UpdateSettings;
import java.util.List;

/**
 * The optimiser's part of a graph.
 *
 * @param decaying settings of matrices
 * @param plain settings of what has no weight decay
 * @param squares Σ g² of all gradients, [1]
 */
record OptimizerStep(Tensor decaying, Tensor plain, Tensor squares) {

  /**
   * Appends one step of all parameters.
   *
   * @param gradients in the order of the store's names
   */
  static OptimizerStep append(
      GraphBuilder g, Parameters parameters, ParameterStore store, List<Tensor> gradients) {
    Tensor decaying = g.input("settings", DType.F32, Op.SETTINGS);
    Tensor plain = g.input("settings_without_decay", DType.F32, Op.SETTINGS);
    Tensor squares = gradients.getFirst().sumSquares();
    for (Tensor gradient : gradients.subList(1, gradients.size())) {
      squares = squares.add(gradient.sumSquares());
    }
    int moments = store.rule().moments();
    for (int i = 0; i < gradients.size(); i++) {
      String name = store.names().get(i);
      Tensor[] kept = new Tensor[moments];
      for (int m = 0; m < moments; m++) {
        kept[m] = g.stored(store.moment(name, m));
      }
      Tensor settings = parameters.decays(name) ? decaying : plain;
      var _ =
          g.stored(store.get(name)).update(store.rule(), gradients.get(i), settings, squares, kept);
    }
    g.output(squares);
    return new OptimizerStep(decaying, plain, squares);
  }

  void write(CompiledGraph target, UpdateSettings ofMatrices, UpdateSettings ofOthers) {
    write(target, decaying, ofMatrices);
    write(target, plain, ofOthers);
  }

  private static void write(CompiledGraph target, Tensor input, UpdateSettings settings) {
    if (target.graph().hasInput(input.name())) {
      target.write(input, settings.toArray());
    }
  }
}
