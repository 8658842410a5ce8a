package io.gatun.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.assertj.core.data.Offset;

/**
 * Compares gradients with finite differences of the graph's own values: the loss is Σ c · y with
 * fixed random c, summed in double, and each parameter's element moves by ±h and ±2h.
 */
final class GradientCheck implements AutoCloseable {
  private static final float STEP = 0.03f;

  private final Backend backend;
  private final GraphBuilder graph = new GraphBuilder();
  private final SplittableRandom random = new SplittableRandom(42);
  private final Map<Tensor, Object> values = new LinkedHashMap<>();
  private final List<Tensor> parameters = new ArrayList<>();
  private RecomputePlan plan = RecomputePlan.none();

  GradientCheck() {
    this(1, Kernels.own());
  }

  GradientCheck(int threads, Kernels kernels) {
    backend = Backend.cpu(threads, kernels);
  }

  GraphBuilder graph() {
    return graph;
  }

  GradientCheck recompute(RecomputePlan chosen) {
    plan = chosen;
    return this;
  }

  /** A parameter of random values in ±1. */
  Tensor parameter(long... lengths) {
    return parameter(randoms(Math.toIntExact(Shape.of(lengths).elements())), lengths);
  }

  Tensor parameter(float[] data, long... lengths) {
    Tensor parameter = constant(data, lengths);
    parameters.add(parameter);
    return parameter;
  }

  Tensor constant(float[] data, long... lengths) {
    Tensor input = graph.input("in" + values.size(), DType.F32, lengths);
    values.put(input, data);
    return input;
  }

  Tensor ids(int bound, int[] ids, long... lengths) {
    Tensor input = graph.indices("ids" + values.size(), DType.I32, bound, lengths);
    values.put(input, ids);
    return input;
  }

  /** A mask F16 [cells, rows] that hides what lies behind a row's own place, and some more. */
  Tensor mask(int cells, int rows) {
    Tensor input = graph.input("mask" + values.size(), DType.F16, cells, rows);
    short[] mask = new short[cells * rows];
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < cells; c++) {
        boolean open = c <= cells - rows + r && (c == 0 || (3 * c + r) % 5 != 0);
        mask[r * cells + c] =
            Float.floatToFloat16(open ? 0.25f * (c % 3) : Float.NEGATIVE_INFINITY);
      }
    }
    values.put(input, mask);
    return input;
  }

  float[] values(Tensor input) {
    if (values.get(input) instanceof float[] data) {
      return data;
    }
    throw new AssertionError(input + " holds no floats");
  }

  float[] randoms(int count) {
    float[] data = new float[count];
    for (int i = 0; i < count; i++) {
      data[i] = (float) (2 * random.nextDouble() - 1);
    }
    return data;
  }

  /** The gradients of Σ c · y, one array per parameter. */
  List<float[]> gradients(Tensor y) {
    float[] weights = randoms(Math.toIntExact(y.shape().elements()));
    try (Run run = new Run(y, weights)) {
      run.loss();
      return run.gradients.stream().map(run::read).toList();
    }
  }

  void compare(Tensor y, double tolerance) {
    float[] weights = randoms(Math.toIntExact(y.shape().elements()));
    try (Run run = new Run(y, weights)) {
      run.loss();
      List<float[]> found = run.gradients.stream().map(run::read).toList();
      for (int p = 0; p < parameters.size(); p++) {
        float[] at = values(parameters.get(p));
        for (int i = 0; i < at.length; i++) {
          double expected = slope(run, at, i);
          assertThat((double) found.get(p)[i])
              .as("gradient %d of %s at element %d", p, parameters.get(p), i)
              .isCloseTo(expected, Offset.offset(tolerance * Math.max(1, Math.abs(expected))));
        }
      }
    }
  }

  /** Central differences of fourth order. */
  private double slope(Run run, float[] at, int i) {
    float value = at[i];
    double[] losses = new double[4];
    float[] moved = {value - 2 * STEP, value - STEP, value + STEP, value + 2 * STEP};
    for (int m = 0; m < 4; m++) {
      at[i] = moved[m];
      losses[m] = run.loss();
    }
    at[i] = value;
    return (8 * (losses[2] - losses[1]) / ((double) moved[2] - moved[1]) * 2
            - (losses[3] - losses[0]) / ((double) moved[3] - moved[0]) * 4)
        / 12;
  }

  @Override
  public void close() {
    backend.close();
  }

  private final class Run implements AutoCloseable {
    private final float[] weights;
    private final Tensor output;
    private final List<Tensor> gradients;
    private final CompiledGraph compiled;

    Run(Tensor y, float[] weights) {
      this.weights = weights;
      this.output = y.dense();
      Shape s = y.shape();
      Tensor c = constant(weights, s.d0(), s.d1(), s.d2(), s.d3());
      Tensor loss = output.mul(c).sum();
      gradients = Gradients.of(graph, loss, parameters, plan);
      graph.output(output);
      gradients.forEach(graph::output);
      compiled = backend.compile(graph.build());
    }

    double loss() {
      compiled.begin();
      values.forEach((input, data) -> {
        if (compiled.graph().hasInput(input.name())) {
          switch (data) {
            case float[] floats -> compiled.write(input, floats);
            case int[] ids -> compiled.write(input, ids);
            case short[] mask -> compiled.write(input, mask, mask.length);
            default -> throw new AssertionError();
          }
        }
      });
      assertThat(compiled.compute()).isTrue();
      float[] y = read(output);
      double sum = 0;
      for (int i = 0; i < y.length; i++) {
        sum += (double) y[i] * weights[i];
      }
      return sum;
    }

    float[] read(Tensor tensor) {
      int width = (int) tensor.shape().d0();
      float[] all = new float[(int) tensor.shape().elements()];
      float[] row = new float[width];
      for (int r = 0; r < all.length / width; r++) {
        compiled.readRow(tensor, r, row);
        System.arraycopy(row, 0, all, r * width, width);
      }
      return all;
    }

    @Override
    public void close() {
      compiled.close();
    }
  }
}
