package io.gatun.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Our own kernels in graphs: no further from exact arithmetic than GGML's. */
class KernelsTest {
  private static final int K = 512;
  private static final int EXPERTS = 5;

  /** Of a sum of 512 products in F32, relative to its size of some 20; matters for F32 weights. */
  private static final double ROUNDING = 20 * 0x1p-21;

  /** Types that take importances to be written; GGML's quantisers need some. */
  private static final Set<DType> WITH_IMPORTANCE =
      Set.of(DType.IQ2_XXS, DType.IQ2_XS, DType.IQ1_S, DType.IQ1_M);

  /** Q8_1 and Q8_K are activations' types; integers are no weights. */
  private static final Set<DType> NO_WEIGHTS =
      Set.of(
          DType.Q8_1,
          DType.Q8_K,
          DType.I8,
          DType.I16,
          DType.I32,
          DType.I64,
          DType.F64,
          DType.IQ1_M,
          DType.Q1_0,
          DType.Q2_0);

  @TempDir Path folder;

  private final SplittableRandom random = new SplittableRandom(7);

  static Stream<DType> types() {
    return Stream.of(DType.values()).filter(type -> !NO_WEIGHTS.contains(type));
  }

  @ParameterizedTest
  @MethodSource("types")
  void products_are_as_near_to_exact_as_those_of_ggml(DType type) throws IOException {
    int[] widths = {37, 16, 5}; // as q, k and v: one node
    try (TensorStore store = weights(type, 1, widths)) {
      for (int columns : new int[] {1, 2, 3, 4, 5, 33}) {
        float[] x = values(K * columns);
        for (int width : widths) {
          StoredTensor w = store.find("w" + width).orElseThrow();
          float[] exactly = dequantised(w);
          double ours = error(run(store, widths, width, x, columns, Kernels.own()), exactly, x);
          double ggml = error(run(store, widths, width, x, columns, Kernels.ggml()), exactly, x);
          assertThat(ours)
              .as("%s, %d columns, %d rows: error against %s of GGML", type, columns, width, ggml)
              .isLessThanOrEqualTo(1.15 * ggml + ROUNDING);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("types")
  void products_with_experts_are_as_near_to_exact_as_those_of_ggml(DType type) throws IOException {
    int width = 21;
    try (TensorStore store = weights(type, EXPERTS, width)) {
      float[] exactly = dequantised(store.find("w" + width).orElseThrow());
      for (int tokens : new int[] {1, 2, 40}) {
        for (boolean each : new boolean[] {false, true}) {
          int used = 3;
          float[] x = values(K * tokens * (each ? used : 1));
          int[] ids = new int[used * tokens];
          for (int t = 0; t < tokens; t++) {
            int first = random.nextInt(EXPERTS);
            for (int u = 0; u < used; u++) {
              ids[used * t + u] = (first + 2 * u) % EXPERTS;
            }
          }
          double ours =
              expertError(
                  experts(store, width, x, ids, used, Kernels.own()), exactly, x, ids, used);
          double ggml =
              expertError(
                  experts(store, width, x, ids, used, Kernels.ggml()), exactly, x, ids, used);
          assertThat(ours)
              .as("%s, %d tokens, error against %s of GGML", type, tokens, ggml)
              .isLessThanOrEqualTo(1.15 * ggml + ROUNDING);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1,256,4,4,64", "1,1024,8,2,64", "5,256,6,3,80", "70,512,8,2,128", "9,768,4,1,256"})
  void attention_gives_what_ggml_gives(int rows, int cells, int heads, int kvHeads, int dim) {
    float[] q = values(dim * heads * rows);
    float[] k = values(dim * kvHeads * cells);
    float[] v = values(dim * kvHeads * cells);
    short[] mask = new short[cells * rows];
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < cells; c++) {
        boolean open = c <= cells - rows + r - 20 && (c + r) % 7 != 0;
        mask[r * cells + c] = Float.floatToFloat16(open ? 0f : Float.NEGATIVE_INFINITY);
      }
    }
    // GGML sums values in F16 for few rows; the kernel's own tests compare with exact arithmetic.
    for (float softcap : new float[] {0f, 30f}) {
      for (boolean sinks : new boolean[] {false, true}) {
        float[] expected =
            attention(Kernels.ggml(), q, k, v, mask, cells, heads, kvHeads, softcap, sinks);
        float[] result =
            attention(Kernels.own(), q, k, v, mask, cells, heads, kvHeads, softcap, sinks);
        for (int i = 0; i < result.length; i++) {
          assertThat(result[i]).isCloseTo(expected[i], Offset.offset(5e-3f));
        }
      }
    }
  }

  private static float[] attention(
      Kernels kernels,
      float[] q,
      float[] k,
      float[] v,
      short[] mask,
      int cells,
      int heads,
      int kvHeads,
      float softcap,
      boolean sinks) {
    int rows = mask.length / cells;
    int dim = q.length / heads / rows;
    try (Ops ops = new Ops(2, kernels)) {
      Tensor queries = ops.given(q, dim, heads, rows).permute(0, 2, 1, 3);
      Tensor keys = ops.given(k, dim, kvHeads, cells).cast(DType.F16).permute(0, 2, 1, 3);
      Tensor values = ops.given(v, dim, kvHeads, cells).cast(DType.F16).permute(0, 2, 1, 3);
      Tensor visible = ops.graph().input("mask", DType.F16, cells, rows);
      float scale = 1 / (float) Math.sqrt(dim);
      float[] sinkLogits = new float[heads];
      for (int h = 0; h < heads; h++) {
        sinkLogits[h] = h * 0.3f - 1;
      }
      Tensor out =
          sinks
              ? ops.graph()
                  .attentionWithSinks(
                      queries, keys, values, visible, ops.given(sinkLogits, heads), scale, softcap)
              : ops.graph().attention(queries, keys, values, visible, scale, softcap);
      return ops.compute(out, compiled -> compiled.write(visible, mask, mask.length));
    }
  }

  @Test
  void families_are_chosen_by_name() {
    assertThat(Kernels.parse("own")).isEqualTo(Kernels.own());
    assertThat(Kernels.parse("ggml").families()).isEmpty();
    assertThat(Kernels.parse("matmul, experts").families())
        .containsExactlyInAnyOrder(Kernels.Family.MATMUL, Kernels.Family.EXPERTS);
    assertThatThrownBy(() -> Kernels.parse("fast"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("matmul");
  }

  /** A family alone does its work, and nothing of another's. */
  @ParameterizedTest
  @CsvSource({
    "Q4_K,1,matmul,PANELS",
    "F16,1,floats,FLOATS",
    "Q4_K,5,experts,PANELS",
    "F16,5,experts,FLOATS",
    "BF16,5,experts,FLOATS",
    "F32,5,experts,FLOATS",
    "F32,5,floats,GGML",
    "Q4_K,5,matmul,GGML",
    "F16,1,matmul,GGML",
    "Q4_K,1,floats,GGML",
    "Q4_K,1,attention,GGML"
  })
  void families_are_independent(DType type, int experts, String family, Kernels.Product expected)
      throws IOException {
    assumeThat(Kernels.own().multiplies(DType.Q4_K)).as("vector instructions").isTrue();
    try (TensorStore store = weights(type, experts, 16);
        Ops ops = new Ops()) {
      Tensor w = ops.graph().stored(store.find("w16").orElseThrow());
      Tensor product =
          experts == 1
              ? w.matMul(ops.given(values(K * 40), K, 40))
              : w.matMulId(
                  ops.given(values(K * 40), K, 1, 40),
                  ops.graph().indices("ids", DType.I32, experts, 2, 40));
      assertThat(Kernels.parse(family).product(product)).isEqualTo(expected);
    }
  }

  /** Products with all weights of one input; the one of a given width. */
  private float[] run(
      TensorStore store, int[] widths, int wanted, float[] x, int columns, Kernels kernels) {
    try (Ops ops = new Ops(columns > 30 ? 2 : 1, kernels)) {
      Tensor input = ops.given(x, K, columns);
      List<Tensor> products = new ArrayList<>();
      for (int width : widths) {
        Tensor w = ops.graph().stored(store.find("w" + width).orElseThrow());
        products.add(w.matMul(input));
      }
      for (int i = 0; i < widths.length; i++) {
        if (widths[i] != wanted) {
          ops.graph().output(products.get(i));
        }
      }
      for (int i = 0; i < widths.length; i++) {
        if (widths[i] == wanted) {
          return ops.compute(products.get(i));
        }
      }
      throw new AssertionError();
    }
  }

  private float[] experts(
      TensorStore store, int width, float[] x, int[] ids, int used, Kernels kernels) {
    int tokens = ids.length / used;
    try (Ops ops = new Ops(tokens > 30 ? 2 : 1, kernels)) {
      Tensor input = ops.given(x, K, x.length / K / tokens, tokens);
      Tensor chosen = ops.graph().indices("ids", DType.I32, EXPERTS, used, tokens);
      Tensor w = ops.graph().stored(store.find("w" + width).orElseThrow());
      return ops.compute(w.matMulId(input, chosen), compiled -> compiled.write(chosen, ids));
    }
  }

  /** Root of the mean squared difference from the product in double. */
  private static double error(float[] result, float[] w, float[] x) {
    int rows = w.length / K;
    double sum = 0;
    for (int c = 0; c < x.length / K; c++) {
      for (int r = 0; r < rows; r++) {
        double off = result[c * rows + r] - dot(w, r * K, x, c * K);
        sum += off * off;
      }
    }
    return Math.sqrt(sum / result.length);
  }

  private static double expertError(float[] result, float[] w, float[] x, int[] ids, int used) {
    int rows = w.length / K / EXPERTS;
    boolean each = x.length == ids.length * K;
    double sum = 0;
    for (int pair = 0; pair < ids.length; pair++) {
      for (int r = 0; r < rows; r++) {
        int from = (ids[pair] * rows + r) * K;
        double off = result[pair * rows + r] - dot(w, from, x, (each ? pair : pair / used) * K);
        sum += off * off;
      }
    }
    return Math.sqrt(sum / result.length);
  }

  private static double dot(float[] w, int from, float[] x, int at) {
    double sum = 0;
    for (int k = 0; k < K; k++) {
      sum += (double) w[from + k] * x[at + k];
    }
    return sum;
  }

  /** All values of a weight, by GGML's own conversion. */
  private static float[] dequantised(StoredTensor w) {
    try (Ops ops = new Ops()) {
      int rows = (int) w.shape().rows();
      Tensor ids =
          ops.graph().indices("rows", DType.I32, w.shape().d1(), w.shape().d1(), w.shape().d2());
      int[] all = new int[rows];
      for (int i = 0; i < rows; i++) {
        all[i] = i % (int) w.shape().d1();
      }
      Tensor values = ops.graph().stored(w).getRows(ids);
      return ops.compute(values, compiled -> compiled.write(ids, all));
    }
  }

  private TensorStore weights(DType type, int experts, int... widths) throws IOException {
    try (TensorStore.Builder builder = TensorStore.builder("weights")) {
      for (int i = 0; i < widths.length; i++) {
        float[] values = values(K * widths[i] * experts);
        float[] importance = new float[WITH_IMPORTANCE.contains(type) ? K : 0];
        Arrays.fill(importance, 1f);
        Path file = folder.resolve(type + "-" + widths[i]);
        Files.write(file, Quantization.quantize(type, values, K, importance));
        int part = builder.map(file);
        Layout layout = Layout.dense(type, Shape.of(K, widths[i], experts));
        builder.mapped("w" + widths[i], layout, part, 0);
      }
      return builder.build();
    }
  }

  private float[] values(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
