package io.gatun.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Everything that GGML would abort the process on is an exception in Java. */
class ShapeRulesTest {
  static Stream<Arguments> rejected() {
    return Stream.of(
        reject("add of shapes that do not repeat", g -> f32(g, 4, 3).add(f32(g, 4, 2))),
        reject("add of I32", g -> ids(g, 8, 4).add(ids(g, 8, 4))),
        reject("matrix product of other inner lengths", g -> f32(g, 4, 3).matMul(f32(g, 5, 1))),
        reject(
            "matrix product with a transposed weight",
            g -> f32(g, 4, 3).transpose().matMul(f32(g, 3, 1))),
        reject("matrix product with I32", g -> f32(g, 4, 3).matMul(ids(g, 9, 4))),
        reject(
            "experts with too large ids",
            g -> f32(g, 4, 3, 2).matMulId(f32(g, 4, 1, 1), ids(g, 3, 1, 1))),
        reject(
            "experts with ids for other tokens",
            g -> f32(g, 4, 3, 2).matMulId(f32(g, 4, 1, 2), ids(g, 2, 1, 1))),
        reject("lookup with too large ids", g -> f32(g, 4, 3).getRows(ids(g, 4, 1))),
        reject("lookup with float ids", g -> f32(g, 4, 3).getRows(f32(g, 1))),
        reject(
            "rope of an odd width",
            g -> f32(g, 4, 1, 2).rope(ids(g, 9, 2), RopeParameters.plain(3, true, 8, 1e4f))),
        reject(
            "rope wider than the head",
            g -> f32(g, 4, 1, 2).rope(ids(g, 9, 2), RopeParameters.plain(6, true, 8, 1e4f))),
        reject(
            "rope with positions for other tokens",
            g -> f32(g, 4, 1, 2).rope(ids(g, 9, 3), RopeParameters.plain(4, true, 8, 1e4f))),
        reject(
            "rope with too few factors",
            g ->
                f32(g, 8, 1, 2)
                    .rope(ids(g, 9, 2), f32(g, 3), RopeParameters.plain(8, true, 8, 1e4f))),
        reject(
            "attention without an F16 mask",
            g ->
                g.attention(f32(g, 8, 2, 4), f32(g, 8, 5, 2), f32(g, 8, 5, 2), f32(g, 5, 2), 1, 0)),
        reject(
            "attention with a small mask",
            g ->
                g.attention(f32(g, 8, 2, 4), f32(g, 8, 5, 2), f32(g, 8, 5, 2), f16(g, 4, 2), 1, 0)),
        reject(
            "attention with heads that do not divide",
            g ->
                g.attention(f32(g, 8, 2, 3), f32(g, 8, 5, 2), f32(g, 8, 5, 2), f16(g, 5, 2), 1, 0)),
        reject(
            "writing rows into something not stored",
            g -> f32(g, 4, 3).setRows(f32(g, 4, 1), ids(g, 3, 1))),
        reject("gates of other shapes", g -> f32(g, 4, 3).glu(Op.GluKind.SWIGLU, f32(g, 4, 2))),
        reject("a fused gate of odd width", g -> f32(g, 5, 3).gluFused(Op.GluKind.SWIGLU)),
        reject("a view behind the end", g -> f32(g, 4, 3).view(Shape.of(4, 3), 16)),
        reject("a view before the beginning", g -> f32(g, 4, 3).view(Shape.of(4), -16)),
        reject("a reshape to other elements", g -> f32(g, 4, 3).reshape(5, 3)),
        reject("a reshape of something not dense", g -> f32(g, 4, 3).transpose().reshape(12)),
        reject("a permutation that repeats an axis", g -> f32(g, 4, 3).permute(0, 0, 2, 3)),
        reject("joining other widths", g -> f32(g, 4, 3).concat(f32(g, 5, 3), 1)),
        reject("a norm with a negative epsilon", g -> f32(g, 4, 3).rmsNorm(-1)),
        reject("an empty clamp", g -> f32(g, 4, 3).clamp(1, 0)),
        reject("a sum to what does not repeat", g -> f32(g, 4, 3).sumTo(3)),
        reject("a repeat to what is no multiple", g -> f32(g, 4, 3).repeat(6, 3)),
        reject(
            "cross-entropy with too large labels",
            g -> f32(g, 4, 3).crossEntropy(ids(g, 5, 3), f32(g, 3))),
        reject(
            "cross-entropy with labels for other rows",
            g -> f32(g, 4, 3).crossEntropy(ids(g, 4, 2), f32(g, 3))),
        reject(
            "cross-entropy with labels that are computed",
            g -> f32(g, 4, 3).crossEntropy(f32(g, 4, 3).argMax(), f32(g, 3))),
        reject(
            "cross-entropy with weights for other rows",
            g -> f32(g, 4, 3).crossEntropy(ids(g, 4, 3), f32(g, 1))),
        reject("a sum into something not stored", g -> f32(g, 4).blend(1, 1, f32(g, 4))),
        reject(
            "an update of something not stored",
            g -> f32(g, 4).update(Op.UpdateRule.SGD, f32(g, 4), f32(g, 9), f32(g, 1), f32(g, 4))),
        reject(
            "a gradient of another weight",
            g -> g.append(new Op.MatMulInput(), f32(g, 4, 3), f32(g, 4, 2))),
        reject(
            "a gradient through a weight without a kernel",
            g -> {
              Tensor w = g.input("w", DType.IQ2_XXS, 256, 3);
              g.append(new Op.MatMulInput(), w, f32(g, 3, 2));
            }),
        reject(
            "a gradient of rows for other ids",
            g -> g.append(new Op.ScatterRows(5), f32(g, 4, 3), ids(g, 5, 2))),
        reject(
            "a gradient of rows with too large ids",
            g -> g.append(new Op.ScatterRows(5), f32(g, 4, 3), ids(g, 6, 3))),
        reject(
            "a gradient behind its window",
            g ->
                g.append(
                    new Op.ScatterView(new Op.View(Shape.of(4, 3), 16, 48, 48, 4), Shape.of(4, 3)),
                    f32(g, 4, 3))),
        reject(
            "a gradient of experts for other ids",
            g ->
                g.append(new Op.ExpertsInput(), f32(g, 4, 3, 2), f32(g, 3, 2, 5), ids(g, 2, 2, 4))),
        reject(
            "a gradient of attention's keys without its queries'",
            g ->
                g.append(
                    new Op.AttentionKeys(1, 0, false),
                    f32(g, 8, 2, 4),
                    f32(g, 8, 5, 2),
                    f32(g, 8, 5, 2),
                    f16(g, 5, 2),
                    f32(g, 8 * 2 * 4 + 16),
                    f32(g, 8, 4, 2))),
        reject("a cast to a quantised type", g -> f32(g, 32, 3).cast(DType.Q4_0)),
        reject("an axis of length 0", g -> f32(g, 0, 3)),
        reject("more elements than a long holds", g -> f32(g, Long.MAX_VALUE / 2, 3, 7)),
        reject("float indices", g -> g.indices("x", DType.F32, 4, 1)),
        reject("a graph without output", GraphBuilder::build));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("rejected")
  void is_rejected(String name, Consumer<GraphBuilder> build) {
    assertThatThrownBy(() -> build.accept(new GraphBuilder()))
        .isInstanceOfAny(ShapeException.class, IllegalArgumentException.class)
        .hasMessageMatching("(?s).{10,}");
  }

  @Test
  void a_message_names_the_op_and_the_operands() {
    GraphBuilder g = new GraphBuilder();
    Tensor w = g.input("weight", DType.F32, 4, 3);
    Tensor x = g.input("rows", DType.F32, 5, 1);
    assertThatThrownBy(() -> w.matMul(x))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("MatMul")
        .hasMessageContaining("weight F32 [4, 3]")
        .hasMessageContaining("rows F32 [5]");
  }

  @Test
  void operands_of_two_graphs_do_not_mix() {
    Tensor a = f32(new GraphBuilder(), 4);
    Tensor b = f32(new GraphBuilder(), 4);
    assertThatThrownBy(() -> a.add(b)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void what_no_output_needs_is_left_out() {
    GraphBuilder g = new GraphBuilder();
    Tensor used = g.input("used", DType.F32, 4);
    Tensor unused = g.input("unused", DType.F32, 4);
    var _ = unused.scale(2);
    g.output(used.scale(2));
    Graph graph = g.build();
    assertThat(graph.hasInput("used")).isTrue();
    assertThat(graph.hasInput("unused")).isFalse();
    assertThat(graph.toString()).contains("Scale").doesNotContain("unused");
  }

  @Test
  void an_index_beyond_its_bound_is_refused_at_the_write() {
    GraphBuilder g = new GraphBuilder();
    Tensor ids = g.indices("ids", DType.I32, 3, 2);
    Tensor table = g.input("table", DType.F32, 4, 3);
    g.output(table.getRows(ids));
    try (Backend backend = Backend.cpu(1, Kernels.ggml());
        CompiledGraph compiled = backend.compile(g.build())) {
      compiled.begin();
      assertThatThrownBy(() -> compiled.write(ids, new int[] {0, 3}))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("index 3 is outside 0..2");
      assertThatThrownBy(() -> compiled.write(ids, new int[] {-1, 0}))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> compiled.write(ids, new int[] {0}))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> compiled.write(table, new int[12]))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  private static Arguments reject(String name, Consumer<GraphBuilder> build) {
    return arguments(name, build);
  }

  private static Tensor f32(GraphBuilder g, long... lengths) {
    return g.input("x", DType.F32, lengths);
  }

  private static Tensor f16(GraphBuilder g, long... lengths) {
    return g.input("m", DType.F16, lengths);
  }

  private static Tensor ids(GraphBuilder g, long bound, long... lengths) {
    return g.indices("ids", DType.I32, bound, lengths);
  }
}
