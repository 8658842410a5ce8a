package io.gatun.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.tensor.Op.UpdateRule;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Ops that write stored tensors against the same in double. */
class UpdatesTest {
  private static final int COUNT = 1003;
  private final SplittableRandom random = new SplittableRandom(3);

  @ParameterizedTest
  @EnumSource(UpdateRule.class)
  void steps_equal_those_in_double(UpdateRule rule) {
    float[] start = values(1f);
    float[][] gradients = {values(0.1f), values(0.3f), values(0.01f), values(0.1f)};
    UpdateSettings settings =
        UpdateSettings.defaults(0.01f)
            .withWeightDecay(0.1f)
            .withGradientScale(0.5f)
            .withNormMax(1f);
    double[] expected = reference(rule, start, gradients, settings);
    float[] one = steps(rule, start, gradients, settings, 1);
    // 8 bits hold a moment to some percent, of which a step of 0.01 moves a parameter.
    double off = rule == UpdateRule.ADAMW_8BIT ? 4 * 0.01 * 0.15 : 2e-6;
    for (int i = 0; i < COUNT; i++) {
      assertThat((double) one[i]).as("parameter %d", i).isCloseTo(expected[i], Offset.offset(off));
    }
    assertThat(steps(rule, start, gradients, settings, 3)).isEqualTo(one);
  }

  @Test
  void a_gradient_that_is_no_number_changes_nothing() {
    float[] start = values(1f);
    float[] broken = values(1f);
    broken[500] = Float.NaN;
    float[] after =
        steps(UpdateRule.ADAMW, start, new float[][] {broken}, UpdateSettings.defaults(0.1f), 2);
    assertThat(after).isEqualTo(start);
  }

  @Test
  void eight_bits_need_a_quarter_of_the_memory() {
    Shape shape = Shape.of(1024, 1024);
    assertThat(Tensor.momentLayout(UpdateRule.ADAMW_8BIT, shape).bytes())
        .isLessThan(Tensor.momentLayout(UpdateRule.ADAMW, shape).bytes() * 26 / 100);
  }

  @Test
  void gradients_accumulate_in_a_stored_tensor() {
    try (Backend backend = Backend.cpu(2, Kernels.own());
        StoredValues stored =
            new StoredValues(backend, Map.of("sum", Layout.dense(DType.F32, Shape.of(COUNT))))) {
      float[] first = values(1f);
      stored.fill("sum", first);
      GraphBuilder graph = new GraphBuilder();
      Tensor x = graph.input("x", DType.F32, COUNT);
      graph.output(graph.stored(stored.get("sum")).blend(0.5f, 2f, x));
      float[] more = values(1f);
      try (CompiledGraph compiled = backend.compile(graph.build())) {
        compiled.begin();
        compiled.write(x, more);
        assertThat(compiled.compute()).isTrue();
      }
      float[] after = stored.read("sum");
      for (int i = 0; i < COUNT; i++) {
        assertThat(after[i]).isCloseTo(0.5f * first[i] + 2 * more[i], Offset.offset(1e-6f));
      }
    }
  }

  @Test
  void only_stored_tensors_of_floats_can_be_written() {
    GraphBuilder graph = new GraphBuilder();
    Tensor x = graph.input("x", DType.F32, 4);
    assertThatThrownBy(() -> x.blend(1f, 1f, x))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("stored");
    try (Backend backend = Backend.cpu(1, Kernels.own());
        StoredValues stored =
            new StoredValues(backend, Map.of("w", Layout.dense(DType.F32, Shape.of(4))))) {
      Tensor w = graph.stored(stored.get("w"));
      Tensor settings = graph.input("settings", DType.F32, Op.SETTINGS);
      Tensor squares = x.sumSquares();
      assertThatThrownBy(() -> w.update(UpdateRule.ADAMW, x, settings, squares, w, w))
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("twice");
      assertThatThrownBy(() -> w.update(UpdateRule.SGD, x, squares, squares, w))
          .isInstanceOf(ShapeException.class);
    }
  }

  private float[] values(float scale) {
    float[] values = new float[COUNT];
    for (int i = 0; i < COUNT; i++) {
      values[i] = scale * (float) random.nextGaussian();
    }
    return values;
  }

  private static float[] steps(
      UpdateRule rule, float[] start, float[][] gradients, UpdateSettings settings, int threads) {
    Shape shape = Shape.of(17, 59);
    Map<String, Layout> layouts = new LinkedHashMap<>();
    layouts.put("w", Layout.dense(DType.F32, shape));
    for (int m = 0; m < rule.moments(); m++) {
      layouts.put("moment" + m, Tensor.momentLayout(rule, shape));
    }
    try (Backend backend = Backend.cpu(threads, Kernels.own());
        StoredValues stored = new StoredValues(backend, layouts)) {
      stored.fill("w", start);
      GraphBuilder graph = new GraphBuilder();
      Tensor gradient = graph.input("gradient", DType.F32, 17, 59);
      Tensor input = graph.input("settings", DType.F32, Op.SETTINGS);
      Tensor squares = gradient.sumSquares();
      Tensor[] moments = new Tensor[rule.moments()];
      for (int m = 0; m < moments.length; m++) {
        moments[m] = graph.stored(stored.get("moment" + m));
      }
      var _ = graph.stored(stored.get("w")).update(rule, gradient, input, squares, moments);
      graph.output(squares);
      try (CompiledGraph compiled = backend.compile(graph.build())) {
        for (int step = 1; step <= gradients.length; step++) {
          compiled.begin();
          compiled.write(gradient, gradients[step - 1]);
          compiled.write(input, settings.withStep(step).toArray());
          assertThat(compiled.compute()).isTrue();
        }
      }
      return stored.read("w");
    }
  }

  private static double[] reference(
      UpdateRule rule, float[] start, float[][] gradients, UpdateSettings s) {
    double[] w = new double[COUNT];
    double[] m = new double[COUNT];
    double[] v = new double[COUNT];
    for (int i = 0; i < COUNT; i++) {
      w[i] = start[i];
    }
    for (int step = 1; step <= gradients.length; step++) {
      float[] g = gradients[step - 1];
      double squares = 0;
      for (float x : g) {
        squares += (double) x * x;
      }
      double norm = Math.sqrt(squares) * s.gradientScale();
      double factor = s.gradientScale() * Math.min(1, s.normMax() / norm);
      for (int i = 0; i < COUNT; i++) {
        double grad = factor * g[i];
        w[i] -= s.learningRate() * s.weightDecay() * w[i];
        switch (rule) {
          case SGD -> {
            m[i] = s.beta1() * m[i] + grad;
            w[i] -= s.learningRate() * m[i];
          }
          case LION -> {
            w[i] -= s.learningRate() * Math.signum(s.beta1() * m[i] + (1 - s.beta1()) * grad);
            m[i] = s.beta2() * m[i] + (1 - s.beta2()) * grad;
          }
          case ADAMW, ADAMW_8BIT -> {
            m[i] = s.beta1() * m[i] + (1 - s.beta1()) * grad;
            v[i] = s.beta2() * v[i] + (1 - s.beta2()) * grad * grad;
            double first = m[i] / (1 - Math.pow(s.beta1(), step));
            double second = v[i] / (1 - Math.pow(s.beta2(), step));
            w[i] -= s.learningRate() * first / (Math.sqrt(second) + s.epsilon());
          }
        }
      }
    }
    return w;
  }
}
