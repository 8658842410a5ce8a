package io.gatun.adapters.training;

import io.gatun.adapters.training.Parameters.Changes;
import io.gatun.model.Model;
import io.gatun.model.TrainingGraph;
import io.gatun.tensor.Backend;
import io.gatun.tensor.CompiledGraph;
import io.gatun.tensor.DType;
import io.gatun.tensor.Gradients;
import io.gatun.tensor.GraphBuilder;
import io.gatun.tensor.Op;
import io.gatun.tensor.RecomputePlan;
import io.gatun.tensor.Tensor;
import io.gatun.tensor.UpdateSettings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * One compiled graph of training: the loss of a mini-batch, and with it nothing more, or gradients
 * that are added up, or gradients and the optimiser's step.
 *
 * @owner the trainer's thread
 */
final class TrainingPass implements AutoCloseable {
  private static final short HIDDEN = (short) 0xfc00; // −∞ in F16

  /** What is done with the gradients. */
  enum Kind {
    EVALUATE,
    ADD,
    UPDATE
  }

  private final Backend backend;
  private final ParameterStore store;
  private final Parameters parameters;
  private final int slidingWindow;
  private final TrainingGraph forward;
  private final Changes changes;
  private final Tensor labels;
  private final Tensor weights;
  private final Tensor loss;
  private final List<Steps> steps = new ArrayList<>();
  private final CompiledGraph compiled;

  /** The optimiser's part of a graph: settings of matrices and of vectors, Σ g². */
  record Steps(Tensor decaying, Tensor plain, Tensor squares) {}

  TrainingPass(
      Backend backend,
      Model model,
      Parameters parameters,
      ParameterStore store,
      TrainerOptions options,
      Kind kind) {
    this.backend = backend;
    this.store = store;
    this.parameters = parameters;
    this.slidingWindow = model.hyperparams().slidingWindow();
    int rows = options.batchRows();
    List<Changes> made = new ArrayList<>();
    this.forward =
        TrainingGraph.build(
            model,
            rows,
            parameters.weights(store::find),
            g -> {
              made.add(parameters.changes(new Parameters.Forward(model, g, rows, store::find)));
              return made.getFirst().modifier();
            });
    this.changes = made.getFirst();
    GraphBuilder g = forward.graph();
    labels = g.indices("labels", DType.I32, model.vocabularySize(), rows);
    weights = g.input("weights", DType.F32, rows);
    loss = forward.logits().crossEntropy(labels, weights).sum();
    if (kind != Kind.EVALUATE) {
      backward(g, plan(options.recompute()), kind);
    }
    g.output(loss);
    compiled = backend.compile(g.build());
  }

  private void backward(GraphBuilder g, RecomputePlan plan, Kind kind) {
    List<String> names = store.names();
    List<Tensor> leaves = names.stream().map(name -> g.stored(store.get(name))).toList();
    if (kind == Kind.ADD) {
      // Each as soon as it is complete, so that not all of them are in memory.
      Gradients.each(
          g,
          loss,
          leaves,
          plan,
          (leaf, gradient) -> {
            Tensor sum = g.stored(store.sum(leaf.name()));
            var _ = sum.blend(1f, 1f, gradient);
          });
      return;
    }
    steps.add(update(g, parameters, store, Gradients.of(g, loss, leaves, plan)));
  }

  /** Appends the optimiser's step of all parameters. */
  static Steps update(
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
    return new Steps(decaying, plain, squares);
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

  /** Computes a batch; Σ −ln p over the tokens that count. */
  double run(MiniBatch batch) {
    return run(batch, null, null);
  }

  /** The same with an optimiser's step. */
  double run(MiniBatch batch, @Nullable UpdateSettings decaying, @Nullable UpdateSettings plain) {
    compiled.begin();
    compiled.write(forward.tokens(), batch.tokens());
    compiled.write(forward.positions(), batch.positions());
    compiled.write(labels, batch.labels());
    compiled.write(weights, batch.weights());
    writeMask(forward.mask(), batch, Integer.MAX_VALUE);
    writeMask(forward.slidingMask(), batch, slidingWindow);
    changes.inputs().accept(compiled, batch);
    if (decaying != null && plain != null) {
      write(steps.getFirst().decaying(), decaying);
      write(steps.getFirst().plain(), plain);
    }
    if (!compiled.compute()) {
      throw new CancellationException("training was stopped");
    }
    return number(loss);
  }

  /** Σ g² of the last run with a step. */
  double squares() {
    return number(steps.getFirst().squares());
  }

  long computeBytes() {
    return backend.computeBytes();
  }

  @Override
  public void close() {
    compiled.close();
  }

  private void write(Tensor input, UpdateSettings settings) {
    if (compiled.graph().hasInput(input.name())) {
      compiled.write(input, settings.toArray());
    }
  }

  private float number(Tensor output) {
    float[] value = new float[1];
    compiled.readRow(output, 0, value);
    return value[0];
  }

  /** [T, T]: a row sees earlier ones of its own example, at most a window of them. */
  private void writeMask(Tensor input, MiniBatch batch, int window) {
    if (!compiled.graph().hasInput(input.name())) {
      return;
    }
    int rows = batch.rows();
    short[] mask = new short[rows * rows];
    Arrays.fill(mask, HIDDEN);
    for (int row = 0; row < rows; row++) {
      mask[row * rows + row] = 0;
      int seen = Math.min(batch.positions()[row], window - 1);
      for (int back = 1; back <= seen && batch.examples()[row] >= 0; back++) {
        mask[row * rows + row - back] = 0;
      }
    }
    compiled.write(input, mask, mask.length);
  }
}
