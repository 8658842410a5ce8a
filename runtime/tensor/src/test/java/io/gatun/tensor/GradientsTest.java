package io.gatun.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.gatun.tensor.Op.GluKind;
import io.gatun.tensor.Op.UnaryKind;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every rule of {@link Gradients} against finite differences, on shapes that are no multiples. */
class GradientsTest {
  private static final double NEAR = 2e-3;

  static Stream<Arguments> rules() {
    return Stream.of(
        rule("add", c -> c.parameter(7, 3).add(c.parameter(7, 3))),
        rule("add of a row", c -> c.parameter(7, 3, 2).add(c.parameter(7))),
        rule("add of a column", c -> c.parameter(7, 3, 2).add(c.parameter(1, 3))),
        rule("add of a pattern", c -> c.parameter(6, 4).add(c.parameter(2, 2))),
        rule("sub of a row", c -> c.parameter(70, 3).sub(c.parameter(70))),
        rule("mul of a row", c -> c.parameter(7, 3).mul(c.parameter(7))),
        rule("mul of one number", c -> c.parameter(7, 3, 2, 2).mul(c.parameter(1))),
        rule(
            "mul with itself",
            c -> {
              Tensor x = c.parameter(7, 3);
              return x.mul(x);
            }),
        rule("div", c -> c.parameter(7, 3).div(away(c, 7, 3))),
        rule("div by a row", c -> c.parameter(7, 3).div(away(c, 7))),
        rule("scale", c -> c.parameter(7, 3).scale(-1.5f)),
        rule("softcap", c -> c.parameter(7, 3).softcap(0.7f)),
        rule("root-mean-square norm", c -> c.parameter(37, 3).rmsNorm(1e-5f).mul(c.parameter(37))),
        rule("layer norm", c -> c.parameter(37, 3).layerNorm(1e-5f).mul(c.parameter(37))),
        rule("matrix product", c -> c.parameter(7, 5).matMul(c.parameter(7, 3))),
        rule("matrix product of many", c -> c.parameter(9, 5).matMul(c.parameter(9, 17))),
        rule(
            "matrix product with shared outer axes",
            c -> c.parameter(7, 5, 2).matMul(c.parameter(7, 3, 6))),
        rule(
            "matrix product with two shared outer axes",
            c -> c.parameter(5, 3, 2, 1).matMul(c.parameter(5, 2, 4, 3))),
        rule(
            "expert product",
            c ->
                c.parameter(7, 5, 4)
                    .matMulId(c.parameter(7, 2, 3), c.ids(4, new int[] {0, 3, 2, 0, 3, 2}, 2, 3))),
        rule(
            "expert product of one input",
            c ->
                c.parameter(7, 5, 4)
                    .matMulId(c.parameter(7, 1, 3), c.ids(4, new int[] {0, 3, 2, 0, 3, 2}, 2, 3))),
        rule("rows", c -> c.parameter(7, 5).getRows(c.ids(5, new int[] {4, 0, 4}, 3))),
        rule(
            "rows of several tables",
            c -> c.parameter(3, 5, 2).getRows(c.ids(5, new int[] {4, 0, 4, 1, 1, 2}, 3, 2))),
        rule(
            "rows by expert",
            c ->
                c.parameter(7, 2, 3)
                    .addId(c.parameter(7, 4), c.ids(4, new int[] {0, 3, 2, 0, 3, 3}, 2, 3))),
        rule("square root", c -> positive(c, 37, 3).sqrt()),
        rule("dropout", c -> c.parameter(37, 3).dropout(0.3f, 5, c.ids(99, new int[] {7, 8}, 2))),
        rule(
            "dropout of a part",
            c ->
                c.parameter(20, 3)
                    .view(Shape.of(9, 3), 4)
                    .dropout(0.5f, 6, c.ids(99, new int[] {7, 8}, 2))),
        rule(
            "rope",
            c ->
                c.parameter(10, 2, 3)
                    .rope(
                        c.ids(99, new int[] {0, 5, 17}, 3),
                        RopeParameters.plain(8, true, 64, 1e4f))),
        rule(
            "rope of neighbours with factors",
            c ->
                c.parameter(8, 2, 3)
                    .rope(
                        c.ids(99, new int[] {0, 5, 17}, 3),
                        c.constant(new float[] {1, 2, 1.5f, 3}, 4),
                        RopeParameters.plain(8, false, 64, 1e4f))),
        rule("softmax", c -> c.parameter(9, 3).softMax()),
        rule(
            "softmax with a mask and sinks",
            c ->
                c.graph()
                    .append(
                        new Op.SoftMax(0.7f, 0f, true, true),
                        c.parameter(9, 4, 2),
                        c.mask(9, 4),
                        c.parameter(2))),
        rule("clamp", c -> c.parameter(apart(0.5f), 30).clamp(-0.5f, 0.5f)),
        rule("sum of rows", c -> c.parameter(9, 3).sumRows()),
        rule("sum of columns", c -> c.parameter(70, 3, 2).sumTo(70)),
        rule("sum of patterns", c -> c.parameter(6, 4, 2).sumTo(2, 2, 1)),
        rule("sum of all", c -> c.parameter(9, 3, 2).sum()),
        rule("repeat", c -> c.parameter(3, 1, 2).repeat(6, 4, 2)),
        rule("concat of rows", c -> c.parameter(4, 3, 2).concat(c.parameter(5, 3, 2), 0)),
        rule("concat of columns", c -> c.parameter(4, 3, 2).concat(c.parameter(4, 1, 2), 1)),
        rule("concat of matrices", c -> c.parameter(4, 3, 2).concat(c.parameter(4, 3, 1), 2)),
        rule("view", c -> c.parameter(8, 3, 2).view(Shape.of(3, 2, 2), 4 * 10)),
        rule(
            "views of one tensor",
            c -> {
              Tensor x = c.parameter(8, 3);
              return x.view(Shape.of(5, 3), 0).mul(x.view(Shape.of(5, 3), 12));
            }),
        rule("reshape and permute", c -> c.parameter(6, 4).reshape(3, 2, 4).permute(1, 2, 0, 3)),
        rule("transpose and copy", c -> c.parameter(6, 4).transpose().dense(8, 3)),
        rule("halves", c -> c.parameter(6, 4).cast(DType.F16).cast(DType.F32), 3e-2),
        rule("bfloat", c -> c.parameter(6, 4).cast(DType.BF16).cast(DType.F32), 0.4),
        rule(
            "cross-entropy",
            c ->
                c.parameter(37, 4)
                    .crossEntropy(
                        c.ids(37, new int[] {3, 36, 0, 9}, 4),
                        c.constant(new float[] {1, 0.5f, 0, 2}, 4))),
        rule(
            "a chosen expert's weight",
            c -> {
              float[] logits = new float[15];
              for (int i = 0; i < 15; i++) {
                logits[i] = 7 * i % 15 / 5f; // steps of finite differences choose no others
              }
              Tensor probabilities = c.parameter(logits, 5, 3).softMax();
              Tensor chosen = probabilities.topK(2);
              return probabilities.reshape(1, 5, 3).getRows(chosen).reshape(2, 3);
            }));
  }

  private static Arguments rule(String name, Function<GradientCheck, Tensor> graph) {
    return rule(name, graph, NEAR);
  }

  private static Arguments rule(
      String name, Function<GradientCheck, Tensor> graph, double tolerance) {
    return arguments(name, graph, tolerance);
  }

  /** Numbers between 1 and 4. */
  private static Tensor positive(GradientCheck c, long... lengths) {
    Tensor x = away(c, lengths);
    return x.mul(x);
  }

  /** Divisors between 1 and 2, and −1 and −2. */
  private static Tensor away(GradientCheck c, long... lengths) {
    float[] data = c.randoms((int) Shape.of(lengths).elements());
    for (int i = 0; i < data.length; i++) {
      data[i] += Math.copySign(1f, data[i]);
    }
    return c.parameter(data, lengths);
  }

  /** 30 values in ±1, none near ±edge or 0, where functions bend. */
  private static float[] apart(float edge) {
    float[] data = new float[30];
    for (int i = 0; i < 30; i++) {
      data[i] = (i - 14.5f) / 15 * 1.9f;
      if (Math.abs(Math.abs(data[i]) - edge) < 0.1f) {
        data[i] += Math.copySign(0.15f, data[i]);
      }
    }
    return data;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("rules")
  void a_rule_gives_what_finite_differences_give(
      String name, Function<GradientCheck, Tensor> graph, double tolerance) {
    for (int threads = 1; threads <= 2; threads++) {
      try (GradientCheck c = new GradientCheck(threads, Kernels.own())) {
        c.compare(graph.apply(c), tolerance);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(UnaryKind.class)
  void functions(UnaryKind kind) {
    try (GradientCheck c = new GradientCheck()) {
      // GGML's GELU is a table of halves.
      c.compare(c.parameter(apart(0f), 30).unary(kind), kind == UnaryKind.GELU ? 5e-2 : NEAR);
    }
  }

  @ParameterizedTest
  @EnumSource(GluKind.class)
  void gated_functions(GluKind kind) {
    double tolerance = kind == GluKind.GEGLU ? 5e-2 : NEAR;
    try (GradientCheck c = new GradientCheck()) {
      c.compare(c.parameter(apart(0f), 15, 2).glu(kind, c.parameter(15, 2)), tolerance);
    }
    if (kind != GluKind.SWIGLU_OAI) {
      try (GradientCheck c = new GradientCheck()) {
        c.compare(c.parameter(apart(0f), 10, 3).gluFused(kind), tolerance);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "5,9,4,2,6,5,0,false",
    "5,9,4,2,8,8,0,true",
    "3,70,2,1,8,16,0.8,false",
    "70,70,2,2,8,8,0,false",
    "4,7,3,3,16,8,1.5,true"
  })
  void attention(
      int tokens, int cells, int heads, int groups, int d, int dv, float softcap, boolean sinks) {
    try (GradientCheck c = new GradientCheck(2, Kernels.own())) {
      Tensor q = c.parameter(d, heads, tokens).permute(0, 2, 1, 3);
      Tensor k = c.parameter(d, groups, cells).permute(0, 2, 1, 3);
      Tensor v = c.parameter(dv, groups, cells).permute(0, 2, 1, 3);
      Tensor mask = c.mask(cells, tokens);
      Tensor y =
          sinks
              ? c.graph().attentionWithSinks(q, k, v, mask, c.parameter(heads), 0.6f, softcap)
              : c.graph().attention(q, k, v, mask, 0.6f, softcap);
      c.compare(y, 4e-3);
    }
  }

  @Test
  void a_tied_weight_sums_the_gradients_of_its_uses() {
    try (GradientCheck c = new GradientCheck()) {
      Tensor table = c.parameter(6, 9);
      Tensor x = table.getRows(c.ids(9, new int[] {2, 8, 2}, 3)).rmsNorm(1e-5f);
      c.compare(table.matMul(x.add(x.unary(UnaryKind.SILU))), NEAR);
    }
  }

  @Test
  void gradients_come_when_they_are_complete_and_only_where_needed() {
    GraphBuilder graph = new GraphBuilder();
    Tensor x = graph.input("x", DType.F32, 4, 3);
    Tensor first = graph.input("first", DType.F32, 4, 4);
    Tensor second = graph.input("second", DType.F32, 4, 4);
    Tensor frozen = graph.input("frozen", DType.F32, 4, 4);
    Tensor loss = second.matMul(frozen.matMul(first.matMul(x))).sum();
    List<Tensor> order = new ArrayList<>();
    Gradients.each(
        graph, loss, List.of(first, second), RecomputePlan.none(), (p, g) -> order.add(p));
    assertThat(order).containsExactly(second, first);
    assertThat(graph.nodes()).filteredOn(n -> n.op() instanceof Op.MatMulWeight).hasSize(2);
    assertThat(graph.nodes()).filteredOn(n -> n.op() instanceof Op.MatMulInput).hasSize(2);
  }

  @Test
  void what_has_no_gradient_is_named() {
    GraphBuilder g = new GraphBuilder();
    Tensor x = g.input("x", DType.F32, 4, 3).named("query");
    Tensor other = g.input("other", DType.F32, 4, 3);
    assertThatThrownBy(() -> of(g, x.sum(), other))
        .isInstanceOf(TrainingException.class)
        .hasMessageContaining("other");
    assertThatThrownBy(() -> of(g, x.sumRows(), x))
        .isInstanceOf(TrainingException.class)
        .hasMessageContaining("one number");
    Tensor mask = other.matMul(x).cast(DType.F16);
    Tensor attention =
        g.attention(
            g.input("q", DType.F32, 8, 3, 2),
            g.input("k", DType.F32, 8, 3, 2),
            g.input("v", DType.F32, 8, 3, 2),
            mask,
            1f,
            0f);
    assertThatThrownBy(() -> of(g, attention.sum(), x))
        .isInstanceOf(TrainingException.class)
        .hasMessageContaining("Attention")
        .hasMessageContaining("constant");
    assertThatThrownBy(() -> of(g, x.sumSquares(), x))
        .isInstanceOf(TrainingException.class)
        .hasMessageContaining("SumSquares");
    Tensor gradient = of(g, x.unary(UnaryKind.SILU).sum(), x).getFirst();
    assertThatThrownBy(() -> of(g, gradient.sum(), x))
        .isInstanceOf(TrainingException.class)
        .hasMessageContaining("of their own");
  }

  private static List<Tensor> of(GraphBuilder graph, Tensor loss, Tensor parameter) {
    return Gradients.of(graph, loss, List.of(parameter), RecomputePlan.none());
  }
}
