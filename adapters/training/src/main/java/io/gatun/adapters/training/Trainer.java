package io.gatun.adapters.training;

import io.gatun.adapters.training.TrainerOptions.Compute;
import io.gatun.adapters.training.TrainingPass.Kind;
import io.gatun.model.Model;
import io.gatun.tensor.Backend;
import io.gatun.tensor.Kernels;
import io.gatun.tensor.Placement;
import io.gatun.tensor.StoredTensor;
import io.gatun.tensor.TrainingException;
import io.gatun.tensor.UpdateSettings;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Trains parameters of a model: forward, backward and the optimiser's step in one graph of GGML's
 * and our own kernels. The same seed, data and thread count give the same numbers, also after an
 * interruption.
 *
 * <p>Not thread-safe: made, used and closed on one thread. The model must have been loaded without
 * rearranged weights, and stays usable.
 */
public final class Trainer implements AutoCloseable {
  /** Steps in a row without a finite loss after which it will not get better. */
  private static final int BAD_STEPS_MAX = 5;

  private final Model model;
  private final Parameters parameters;
  private final TrainerOptions options;
  private final Backend backend;
  private final ParameterStore store;
  private final Progress progress = new Progress();
  private @Nullable TrainingPass training;
  private @Nullable TrainingPass evaluating;
  private @Nullable AddedGradients adding;

  /** How far training is: what a snapshot keeps besides parameters. */
  static final class Progress {
    long step;
    long epoch;
    int batch;
    double bestLoss = Double.POSITIVE_INFINITY;
    int worse;
  }

  /**
   * What came of it.
   *
   * @param steps how many were computed in all
   * @param loss of the last step
   * @param evaluationLoss the best one, if there was any
   * @param finished false when it was stopped before the last step
   */
  public record Result(
      long steps, double loss, Optional<Double> evaluationLoss, boolean finished) {}

  public Trainer(Model model, Parameters parameters, TrainerOptions options) {
    for (StoredTensor weight : model.weights().tensors()) {
      if (weight.placement() == Placement.REPACKED || weight.placement() == Placement.DEVICE) {
        throw new IllegalArgumentException(
            "to be trained, %s must be loaded without rearranged weights and on the CPU: %s is %s"
                .formatted(model.name(), weight.name(), weight.placement()));
      }
    }
    if (options.routerLosses().any() && model.hyperparams().expertCount() == 0) {
      throw new IllegalArgumentException(
          "%s has no experts, so there are no losses of routers".formatted(model.name()));
    }
    this.model = model.retain();
    this.parameters = parameters;
    this.options = options;
    this.backend =
        Backend.cpu(
            options.threads(), Kernels.own().withBfloats(options.compute() == Compute.BF16));
    try {
      this.store =
          new ParameterStore(
              model, parameters, options.optimizer().rule(), options.passes() > 1, options.seed());
    } catch (RuntimeException e) {
      backend.close();
      model.close();
      throw e;
    }
  }

  /** How many numbers are trained. */
  public long parameterCount() {
    return store.count();
  }

  /** The numbers of one trained tensor, by its name in {@link Parameters#shapes}. */
  public float[] values(String name) {
    return store.values(name);
  }

  /**
   * Trains, from the snapshot on if there is one.
   *
   * @param evaluation text that is not learned
   * @throws TrainingException when the loss stays without a number; parameters are then as they
   *     were when it last had one
   * @throws IOException when the snapshot cannot be read or written; nothing is lost
   */
  public Result train(Packing data, Optional<Packing> evaluation, TrainingListener listener)
      throws IOException {
    if (options.snapshots().file().isPresent()) {
      Snapshot.load(options.snapshots().file().get(), fingerprint(), progress, store);
    }
    List<MiniBatch> epoch = data.epoch(progress.epoch);
    double loss = Double.NaN;
    int bad = 0;
    while (progress.step < options.steps()) {
      if (listener.stop() || Thread.currentThread().isInterrupted()) {
        save();
        return result(loss, false);
      }
      long start = System.nanoTime();
      MiniBatch[] batches = new MiniBatch[options.passes()];
      for (int i = 0; i < batches.length; i++) {
        if (progress.batch >= epoch.size()) {
          progress.batch = 0;
          epoch = data.epoch(++progress.epoch);
        }
        batches[i] = epoch.get(progress.batch++);
      }
      TrainingListener.Step done = step(batches, start);
      loss = done.loss();
      bad = Double.isFinite(loss) && Double.isFinite(done.gradientNorm()) ? 0 : bad + 1;
      if (bad == BAD_STEPS_MAX) {
        throw new TrainingException(
            "step %d: the loss is %s since %d steps; a lower learning rate may help"
                .formatted(done.number(), loss, bad));
      }
      listener.step(done);
      if (looks(evaluation) && !better(evaluation.orElseThrow(), listener)) {
        save();
        return result(loss, true);
      }
      if (bad == 0 && progress.step % options.snapshots().every() == 0) {
        save();
      }
    }
    save();
    return result(loss, true);
  }

  /** Mean of −ln p over the tokens of some text that count. */
  public double evaluate(Packing text) {
    if (evaluating == null) {
      evaluating = new TrainingPass(backend, model, parameters, store, options, Kind.EVALUATE);
    }
    double sum = 0;
    double weight = 0;
    for (MiniBatch batch : text.epoch(0)) {
      sum += evaluating.run(batch, 0);
      weight += batch.weight();
    }
    return sum / weight;
  }

  @Override
  public void close() {
    if (training != null) {
      training.close();
    }
    if (evaluating != null) {
      evaluating.close();
    }
    if (adding != null) {
      adding.close();
    }
    store.close();
    backend.close();
    model.close();
  }

  private TrainingListener.Step step(MiniBatch[] batches, long start) {
    double weight = 0;
    for (MiniBatch batch : batches) {
      weight += batch.weight();
    }
    float scale = (float) (1 / Math.max(1, weight));
    Optimizer o = options.optimizer();
    UpdateSettings decaying = o.settings(progress.step, options.steps(), scale, true);
    UpdateSettings plain = o.settings(progress.step, options.steps(), scale, false);
    if (training == null) {
      Kind kind = batches.length == 1 ? Kind.UPDATE : Kind.ADD;
      training = new TrainingPass(backend, model, parameters, store, options, kind);
    }
    double sum = 0;
    double squares;
    RouterMean routers = new RouterMean();
    if (batches.length == 1) {
      sum = training.run(batches[0], key(0), decaying, plain);
      routers.add(training.routers(), batches[0].weight());
      squares = training.squares();
    } else {
      store.clearSums();
      for (int i = 0; i < batches.length; i++) {
        sum += training.run(batches[i], key(i));
        routers.add(training.routers(), batches[i].weight());
      }
      if (adding == null) {
        adding = new AddedGradients(backend, parameters, store);
      }
      squares = adding.apply(decaying, plain);
    }
    progress.step++;
    return new TrainingListener.Step(
        progress.step,
        options.steps(),
        sum / Math.max(1, weight),
        Math.sqrt(squares) * scale,
        decaying.learningRate(),
        (long) batches.length * options.batchRows(),
        (System.nanoTime() - start) / 1e9,
        training.computeBytes(),
        routers.mean());
  }

  /** A random number of a pass of this step, whatever was computed before. */
  private long key(int pass) {
    long number = progress.step * options.passes() + pass;
    return new SplittableRandom(options.seed() ^ (number * 0x9E3779B97F4A7C15L)).nextLong();
  }

  /** The mean of router losses over the predictions of a step. */
  private static final class RouterMean {
    private double balance;
    private double z;
    private double weight;

    void add(Optional<TrainingListener.Routers> losses, double predictions) {
      if (losses.isPresent()) {
        balance += losses.get().balance() * predictions;
        z += losses.get().z() * predictions;
        weight += predictions;
      }
    }

    Optional<TrainingListener.Routers> mean() {
      return weight == 0
          ? Optional.empty()
          : Optional.of(new TrainingListener.Routers(balance / weight, z / weight));
    }
  }

  private boolean looks(Optional<Packing> evaluation) {
    long every = options.evaluation().every();
    return evaluation.isPresent()
        && every > 0
        && (progress.step % every == 0 || progress.step == options.steps());
  }

  /** Looks at text that is not learned; false when it is time to end. */
  private boolean better(Packing evaluation, TrainingListener listener) {
    double loss = evaluate(evaluation);
    listener.evaluated(progress.step, loss);
    if (loss < progress.bestLoss) {
      progress.bestLoss = loss;
      progress.worse = 0;
      return true;
    }
    progress.worse++;
    int patience = options.evaluation().patience();
    return patience == 0 || progress.worse < patience;
  }

  private Result result(double loss, boolean finished) {
    Optional<Double> best =
        Double.isFinite(progress.bestLoss) ? Optional.of(progress.bestLoss) : Optional.empty();
    return new Result(progress.step, loss, best, finished);
  }

  private void save() throws IOException {
    if (options.snapshots().file().isPresent()) {
      Snapshot.save(options.snapshots().file().get(), fingerprint(), progress, store);
    }
  }

  /** What must be the same for training to go on as if it had never ended. */
  private String fingerprint() {
    return "%s rows %d passes %d seed %d %s %s%s%s%s"
        .formatted(
            model.name(),
            options.batchRows(),
            options.passes(),
            options.seed(),
            options.optimizer().rule(),
            options.routerLosses().any() ? options.routerLosses() + " " : "",
            options.compute() == Compute.F32 ? "" : options.compute() + " ",
            parameters.settings(),
            parameters.shapes(model));
  }
}
