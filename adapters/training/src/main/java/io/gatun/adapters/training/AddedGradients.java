package io.gatun.adapters.training;

import io.gatun.tensor.Backend;
import io.gatun.tensor.CompiledGraph;
import io.gatun.tensor.GraphBuilder;
import io.gatun.tensor.Tensor;
import io.gatun.tensor.UpdateSettings;
import java.util.List;
import java.util.concurrent.CancellationException;

/**
 * The optimiser's step from gradients that several passes added up.
 *
 * @owner the trainer's thread
 */
final class AddedGradients implements AutoCloseable {
  private final OptimizerStep step;
  private final CompiledGraph compiled;

  AddedGradients(Backend backend, Parameters parameters, ParameterStore store) {
    GraphBuilder g = new GraphBuilder();
    List<Tensor> sums = store.names().stream().map(name -> g.stored(store.sum(name))).toList();
    step = OptimizerStep.append(g, parameters, store, sums);
    compiled = backend.compile(g.build());
  }

  /** Changes the parameters; Σ g². */
  double apply(UpdateSettings decaying, UpdateSettings plain) {
    compiled.begin();
    step.write(compiled, decaying, plain);
    if (!compiled.compute()) {
      throw new CancellationException("training was stopped");
    }
    float[] value = new float[1];
    compiled.readRow(step.squares(), 0, value);
    return value[0];
  }

  @Override
  public void close() {
    compiled.close();
  }
}
