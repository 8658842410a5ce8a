package io.gatun.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.gatun.tensor.Op.GluKind;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which inputs are computed where products need them, and which are not. */
class FusedInputsTest {
  private static final float EPSILON = 1e-5f;

  /** Which nodes are fused does not depend on the weights' values. */
  private TensorStore store;

  @BeforeEach
  void open() {
    assumeThat(Kernels.own().multiplies(DType.Q4_K)).as("vector instructions").isTrue();
    try (TensorStore.Builder builder = TensorStore.builder("weights")) {
      zeroed(builder, "gain", DType.F32, 256, 1);
      zeroed(builder, "gate", DType.Q4_K, 256, 512);
      zeroed(builder, "up", DType.Q6_K, 256, 512);
      zeroed(builder, "down", DType.Q4_K, 512, 256);
      for (DType type : new DType[] {DType.Q8_0, DType.F32, DType.Q3_K}) {
        zeroed(builder, "other " + type, type, 256, 8);
      }
      store = builder.build();
    }
  }

  private static void zeroed(
      TensorStore.Builder builder, String name, DType type, int width, int rows) {
    builder.zeroed(name, Layout.dense(type, Shape.of(width, rows)), Device.cpu());
  }

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void norms_and_activations_are_absorbed_and_sums_compute_norms() {
    Layer layer = layer(1, Kernels.own());
    assertThat(layer.found().sources()).containsOnlyKeys(layer.normed.index(), layer.glu.index());
    assertThat(layer.found().sums()).containsOnlyKeys(layer.sum.index());
    assertThat(layer.found().absorbed())
        .containsExactlyInAnyOrder(layer.norm.index(), layer.normed.index(), layer.glu.index());
  }

  @Test
  void nothing_is_fused_for_many_columns_or_without_the_family() {
    assertNothing(layer(4, Kernels.own()));
    assertNothing(layer(1, Kernels.parse("matmul, attention")));
    assertNothing(layer(1, Kernels.parse("fused")));
    assertNothing(layer(1, Kernels.ggml()));
  }

  @Test
  void what_is_read_elsewhere_is_not_absorbed() {
    Layer layer = layer(1, Kernels.own());
    layer.graph.output(layer.normed.scale(2));
    assertThat(layer.found().sources()).containsOnlyKeys(layer.glu.index());
    layer.graph.output(layer.glu);
    assertNothing(layer);

    Layer other = layer(1, Kernels.own());
    other.graph.output(other.norm);
    assertThat(other.found().sources()).containsOnlyKeys(other.glu.index());
    assertThat(other.found().sums()).isEmpty();
  }

  @Test
  void a_sum_that_is_an_output_stays_a_node() {
    Layer layer = layer(1, Kernels.own());
    layer.graph.output(layer.sum);
    assertThat(layer.found().sums()).isEmpty();
    assertThat(layer.found().sources()).containsOnlyKeys(layer.normed.index(), layer.glu.index());
  }

  @Test
  void products_that_read_an_input_in_two_forms_or_as_it_is_keep_it() {
    for (DType type : new DType[] {DType.Q8_0, DType.F32, DType.Q3_K}) {
      Layer layer = layer(1, Kernels.own());
      layer.graph.output(weight(layer.graph, "other " + type).matMul(layer.normed));
      assertThat(layer.found().sources()).as("with %s", type).containsOnlyKeys(layer.glu.index());
    }
  }

  @Test
  void a_sum_of_repeated_rows_or_a_gain_that_is_computed_stays_a_node() {
    GraphBuilder graph = new GraphBuilder();
    Tensor bias = weight(graph, "gain");
    Tensor sum = graph.input("x", DType.F32, 256, 2).add(bias);
    Tensor computed = sum.rmsNorm(EPSILON).mul(bias.scale(2));
    Tensor normed = sum.rmsNorm(EPSILON).mul(bias);
    graph.output(weight(graph, "gate").matMul(computed));
    graph.output(weight(graph, "gate").matMul(normed));
    FusedInputs found = FusedInputs.of(graph.build(), Kernels.own());
    assertThat(found.sources()).containsOnlyKeys(normed.index());
    assertThat(found.sums()).isEmpty();
  }

  private static void assertNothing(Layer layer) {
    assertThat(layer.found()).isEqualTo(new FusedInputs(Map.of(), Map.of(), Set.of()));
  }

  /** The nodes of a feed-forward network that may be fused. */
  private record Layer(
      GraphBuilder graph, Kernels kernels, Tensor sum, Tensor norm, Tensor normed, Tensor glu) {
    FusedInputs found() {
      return FusedInputs.of(graph.build(), kernels);
    }
  }

  private Layer layer(int rows, Kernels kernels) {
    GraphBuilder graph = new GraphBuilder();
    Tensor sum = graph.input("x", DType.F32, 256, rows).add(graph.input("y", DType.F32, 256, rows));
    Tensor norm = sum.rmsNorm(EPSILON);
    Tensor normed = norm.mul(weight(graph, "gain"));
    Tensor glu =
        weight(graph, "gate")
            .matMul(normed)
            .glu(GluKind.SWIGLU, weight(graph, "up").matMul(normed));
    graph.output(weight(graph, "down").matMul(glu).add(sum));
    return new Layer(graph, kernels, sum, norm, normed, glu);
  }

  private Tensor weight(GraphBuilder graph, String name) {
    return graph.stored(store.find(name).orElseThrow());
  }
}
