package io.gatun.adapters.training;

import io.gatun.adapters.training.Parameters.Changes;
import io.gatun.adapters.training.TrainerOptions.RouterLosses;
import io.gatun.model.Model;
import io.gatun.model.Temperature;
import io.gatun.model.TrainingGraph;
import io.gatun.tensor.Backend;
import io.gatun.tensor.CompiledGraph;
import io.gatun.tensor.DType;
import io.gatun.tensor.Gradients;
import io.gatun.tensor.GraphBuilder;
import io.gatun.tensor.RecomputePlan;
import io.gatun.tensor.Tensor;
import io.gatun.tensor.UpdateSettings;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;

/**
 * One compiled graph of training: the loss of a mini-batch, and with it nothing more, or gradients
 * that are added up, or gradients and the optimiser's step.
 *
 * @owner the trainer's thread
 */
final class TrainingPass implements AutoCloseable {
  /** What is done with the gradients. */
  enum Kind {
    EVALUATE,
    ADD,
    UPDATE
  }

  private final Backend backend;
  private final ParameterStore store;
  private final TrainingMasks masks;
  private final Optional<Temperature> temperature;
  private final TrainingGraph forward;
  private final Changes changes;
  private final Tensor labels;
  private final Tensor weights;
  private final Tensor loss;
  private final Tensor objective;
  private final Optional<Routing> routing;
  private final Optional<OptimizerStep> step;
  private final CompiledGraph compiled;

  /** Losses of routers in a graph, and the two that are reported. */
  private record Routing(RouterLossGraph losses, Tensor balance, Tensor z) {}

  TrainingPass(
      Backend backend,
      Model model,
      Parameters parameters,
      ParameterStore store,
      TrainerOptions options,
      Kind kind) {
    this.backend = backend;
    this.store = store;
    this.masks = new TrainingMasks(model.hyperparams().window(), parameters.prefixRows());
    this.temperature = model.architecture().temperature(model.hyperparams());
    int rows = options.batchRows();
    boolean learning = kind != Kind.EVALUATE;
    RouterLosses routers = learning ? options.routerLosses() : RouterLosses.NONE;
    List<Changes> made = new ArrayList<>();
    List<RouterLossGraph> losses = new ArrayList<>();
    this.forward =
        TrainingGraph.build(
            model,
            rows,
            parameters.prefixRows(),
            parameters.weights(store::find),
            g -> {
              made.add(
                  parameters.changes(
                      new Parameters.Forward(model, g, rows, learning, store::find)));
              if (routers.any()) {
                losses.add(
                    new RouterLossGraph(g, rows, model.hyperparams().expertCount(), routers));
                return made.getFirst().modifier().then(losses.getFirst());
              }
              return made.getFirst().modifier();
            });
    this.changes = made.getFirst();
    GraphBuilder g = forward.graph();
    labels = g.indices("labels", DType.I32, model.vocabularySize(), rows);
    weights = g.input("weights", DType.F32, rows);
    loss = forward.logits().crossEntropy(labels, weights).sum();
    routing = losses.stream().findFirst().map(l -> new Routing(l, l.balance(), l.z()));
    objective = routing.map(r -> r.losses().addTo(loss, r.balance(), r.z())).orElse(loss);
    step = backward(g, parameters, plan(options.recompute()), kind);
    g.output(loss);
    if (routing.isPresent()) {
      g.output(objective);
      g.output(routing.get().balance());
      g.output(routing.get().z());
    }
    compiled = backend.compile(g.build());
  }

  private Optional<OptimizerStep> backward(
      GraphBuilder g, Parameters parameters, RecomputePlan plan, Kind kind) {
    if (kind == Kind.EVALUATE) {
      return Optional.empty();
    }
    List<String> names = store.names();
    List<Tensor> leaves = names.stream().map(name -> g.stored(store.get(name))).toList();
    if (kind == Kind.UPDATE) {
      List<Tensor> gradients = Gradients.of(g, objective, leaves, plan);
      return Optional.of(OptimizerStep.append(g, parameters, store, gradients));
    }
    // Each as soon as it is complete, so that not all of them are in memory.
    Gradients.each(
        g,
        objective,
        leaves,
        plan,
        (leaf, gradient) -> {
          Tensor sum = g.stored(store.sum(leaf.name()));
          var _ = sum.blend(1f, 1f, gradient);
        });
    return Optional.empty();
  }

  private RecomputePlan plan(TrainerOptions.Recompute recompute) {
    List<Tensor> boundaries = forward.layerInputs();
    return switch (recompute) {
      case NONE -> RecomputePlan.none();
      case SELECTIVE -> RecomputePlan.selective(boundaries);
      case LAYERS -> RecomputePlan.everyBoundary(boundaries);
      case SQUARE_ROOT -> RecomputePlan.squareRoot(boundaries);
    };
  }

  /**
   * Computes a batch; Σ −ln p over the tokens that count.
   *
   * @param key a random number for what is chosen at random
   */
  double run(MiniBatch batch, long key) {
    begin(batch, key);
    return compute();
  }

  /** The same with an optimiser's step. */
  double run(MiniBatch batch, long key, UpdateSettings decaying, UpdateSettings plain) {
    begin(batch, key);
    step.orElseThrow().write(compiled, decaying, plain);
    return compute();
  }

  private void begin(MiniBatch batch, long key) {
    compiled.begin();
    compiled.write(forward.tokens(), batch.tokens());
    compiled.write(forward.positions(), masks.positions(batch));
    if (temperature.isPresent() && compiled.graph().hasInput(forward.temperatures().name())) {
      compiled.write(forward.temperatures(), temperature.get().at(masks.positions(batch)));
    }
    compiled.write(labels, batch.labels());
    compiled.write(weights, batch.weights());
    masks.write(compiled, forward, batch);
    changes.inputs().write(compiled, batch, key);
    routing.ifPresent(r -> r.losses().write(compiled, batch));
  }

  private double compute() {
    if (!compiled.compute()) {
      throw new CancellationException("training was stopped");
    }
    return number(loss);
  }

  /** Σ g² of the last run with a step. */
  double squares() {
    return number(step.orElseThrow().squares());
  }

  /** What the last run's gradients are of: the loss, and what routers add to it. */
  double objective() {
    return number(objective);
  }

  /** The router losses of the last run, if there are any, before their weights. */
  Optional<TrainingListener.Routers> routers() {
    return routing.map(r -> new TrainingListener.Routers(number(r.balance()), number(r.z())));
  }

  long computeBytes() {
    return backend.computeBytes();
  }

  @Override
  public void close() {
    compiled.close();
  }

  private float number(Tensor output) {
    float[] value = new float[1];
    compiled.readRow(output, 0, value);
    return value[0];
  }
}
