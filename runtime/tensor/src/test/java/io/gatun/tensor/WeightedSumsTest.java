package io.gatun.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.util.function.BiFunction;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What experts gave, summed by one node: the same as GGML's product and sums. */
class WeightedSumsTest {
  @BeforeEach
  void vectors() {
    assumeThat(Kernels.own().multiplies(DType.Q4_K)).as("vector instructions").isTrue();
  }

  @ParameterizedTest
  @CsvSource({"1024,8,1,2", "1030,2,1,1", "33,4,7,2", "256,6,3,2"})
  void a_sum_is_that_of_ggml(int width, int used, int rows, int threads) {
    BiFunction<Ops, Tensor, Tensor> sum = (ops, x) -> sum(x, ops.random(1, used, rows), used);
    float[] expected = compute(Kernels.ggml(), 1, width, used, rows, sum);
    float[] result = compute(Kernels.parse("fused"), threads, width, used, rows, sum);
    for (int i = 0; i < result.length; i++) {
      assertThat(result[i]).isCloseTo(expected[i], Offset.offset(2e-6f));
    }
  }

  @Test
  void other_readers_and_other_orders_get_what_they_should() {
    // The second part twice, and the product itself: none of it is a sum of all parts.
    BiFunction<Ops, Tensor, Tensor> sum =
        (ops, x) -> {
          Tensor product = x.mul(ops.random(1, 3, 5));
          Tensor twice = part(product, 0).add(part(product, 1)).add(part(product, 1));
          Tensor backwards = part(product, 2).add(part(product, 1)).add(part(product, 0));
          return twice.mul(backwards).add(part(product, 2));
        };
    assertThat(compute(Kernels.parse("fused"), 2, 64, 3, 5, sum))
        .containsExactly(compute(Kernels.ggml(), 1, 64, 3, 5, sum));
  }

  private static float[] compute(
      Kernels kernels,
      int threads,
      int width,
      int used,
      int rows,
      BiFunction<Ops, Tensor, Tensor> sum) {
    try (Ops ops = new Ops(threads, kernels)) {
      return ops.compute(sum.apply(ops, ops.random(width, used, rows)));
    }
  }

  private static Tensor sum(Tensor x, Tensor weights, int used) {
    Tensor product = x.mul(weights);
    Tensor total = part(product, 0);
    for (int k = 1; k < used; k++) {
      total = total.add(part(product, k));
    }
    return total;
  }

  /** [E, T] of [E, K, T] at k. */
  private static Tensor part(Tensor parts, int k) {
    Layout layout = parts.layout();
    Shape one = Shape.of(parts.shape().d0(), parts.shape().d2());
    return parts.view(
        one, layout.s2(), layout.s2() * one.d1(), layout.s2() * one.d1(), k * layout.s1());
  }
}
