package io.gatun.adapters.training;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.model.Model;
import io.gatun.tensor.Backend;
import io.gatun.tensor.Kernels;
import io.gatun.tensor.Op.UpdateRule;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Gradients of single parameters of a whole model, compared with what the loss does when they are
 * moved a little.
 */
final class FiniteDifferences implements AutoCloseable {
  private static final long KEY = 77;

  /** Of each tensor, besides the parameter with the largest gradient. */
  private static final int SAMPLES = 2;

  private final Backend backend = Backend.cpu(1, Kernels.own());
  private final ParameterStore store;
  private final TrainingPass pass;
  private final MiniBatch batch;

  FiniteDifferences(
      Model model, Parameters parameters, TrainerOptions options, List<Example> examples) {
    Packing data = new Packing(examples, options.batchRows(), parameters.softRows(), 8, false, 1);
    batch = data.epoch(0).getFirst();
    store = new ParameterStore(model, parameters, UpdateRule.SGD, true, options.seed());
    pass = new TrainingPass(backend, model, parameters, store, options, TrainingPass.Kind.ADD);
  }

  /** Moves every trained tensor to random values, so that none of them begins at 0. */
  FiniteDifferences shaken(float range) {
    SplittableRandom random = new SplittableRandom(5);
    for (String name : store.names()) {
      float[] values = store.values(name);
      for (int i = 0; i < values.length; i++) {
        values[i] += range * (float) (2 * random.nextDouble() - 1);
      }
      store.write(name, values);
    }
    return this;
  }

  /**
   * Each sampled parameter's gradient is the slope of the loss.
   *
   * @param step how far a parameter is moved
   * @param relative error that is allowed
   */
  void check(float step, double relative) {
    store.clearSums();
    var _ = pass.run(batch, KEY);
    Map<String, float[]> gradients = new LinkedHashMap<>(); // each later run adds to the sums
    store.names().forEach(name -> gradients.put(name, store.gradient(name)));
    SplittableRandom random = new SplittableRandom(11);
    List<String> wrong = new ArrayList<>();
    int checked = 0;
    int jumps = 0;
    for (var entry : gradients.entrySet()) {
      String name = entry.getKey();
      float[] gradient = entry.getValue();
      int largest = largest(gradient);
      double size = Math.abs(gradient[largest]);
      for (int k = 0; k <= SAMPLES; k++) {
        int i = k == 0 ? largest : random.nextInt(gradient.length);
        // What the loss is rounded to is seen in a slope as well.
        double allowed = relative * Math.max(Math.abs(gradient[i]), 0.5 * size) + 2e-3;
        double wide = slope(name, i, step);
        double near = slope(name, i, step / 2);
        // Without the term of the third derivative (Richardson).
        double slope = (4 * near - wide) / 3;
        if (Math.abs(near - wide) > 10 * allowed) {
          jumps++; // another expert is chosen on the way; a small one shows in one of the three
          // only
        } else {
          checked++;
          double error = Math.min(Math.abs(wide - gradient[i]), Math.abs(near - gradient[i]));
          error = Math.min(error, Math.abs(slope - gradient[i]));
          if (!(error <= allowed)) {
            wrong.add(
                "%s[%d]: slope %.4f (%.4f, %.4f), gradient %.4f, size %.4f"
                    .formatted(name, i, slope, wide, near, gradient[i], size));
          }
        }
      }
    }
    assertThat(wrong).as("of %d", checked).isEmpty();
    assertThat(jumps).as("jumps").isLessThanOrEqualTo(checked / 10);
  }

  private double slope(String name, int index, float step) {
    float[] values = store.values(name);
    float before = values[index];
    float above = before + step;
    float below = before - step;
    double up = objective(name, values, index, above);
    double down = objective(name, values, index, below);
    values[index] = before;
    store.write(name, values);
    return (up - down) / ((double) above - below);
  }

  private double objective(String name, float[] values, int index, float value) {
    values[index] = value;
    store.write(name, values);
    var _ = pass.run(batch, KEY);
    return pass.objective();
  }

  private static int largest(float[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      best = Math.abs(values[i]) > Math.abs(values[best]) ? i : best;
    }
    return best;
  }

  @Override
  public void close() {
    pass.close();
    store.close();
    backend.close();
  }
}
