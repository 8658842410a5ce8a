package io.gatun.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.gatun.tensor.Op.GluKind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.SplittableRandom;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Inputs that are computed where products need them: no further from exact than by themselves. */
class FusedInputValuesTest {
  private static final float EPSILON = 1e-5f;

  /** A flipped rounding of some activations changes a product by less than this part of it. */
  private static final double ROUNDINGS = 2e-3;

  @TempDir Path folder;

  private final SplittableRandom random = new SplittableRandom(11);
  private TensorStore.Builder builder;

  @BeforeEach
  void open() {
    assumeThat(Kernels.own().multiplies(DType.Q4_K)).as("vector instructions").isTrue();
    builder = TensorStore.builder("weights");
  }

  @AfterEach
  void close() {
    builder.close();
  }

  @ParameterizedTest
  @CsvSource({
    "Q4_K,256,512,1",
    "Q6_K,1280,256,2",
    "Q4_K,512,768,2",
    "Q8_0,96,416,1",
    "Q4_0,608,32,2",
    "Q5_0,2048,1056,2",
    "MXFP4,64,64,1"
  })
  void a_feed_forward_network_is_as_near_to_exact_as_without(
      DType type, int width, int inner, int rows) throws IOException {
    float[] gain = stored("gain", DType.F32, width, 1);
    float[] gate = stored("gate", type, width, inner);
    float[] up = stored("up", type, width, inner);
    float[] down = stored("down", type, inner, width);
    float[] x = values(width * rows);
    float[] y = values(width * rows);
    try (TensorStore store = builder.build()) {
      float[] fused = feedForward(store, Kernels.own(), 1, rows, x, y);
      float[] apart = feedForward(store, without(), 1, rows, x, y);
      assertThat(feedForward(store, Kernels.own(), 2, rows, x, y)).containsExactly(fused);
      double[] exactly = feedForward(gain, gate, up, down, x, y, rows);
      assertThat(distance(fused, exactly))
          .as("against %s", distance(apart, exactly))
          .isLessThan(1.02 * distance(apart, exactly) + ROUNDINGS * length(exactly));
    }
  }

  private static float[] feedForward(
      TensorStore store, Kernels kernels, int threads, int rows, float[] x, float[] y) {
    try (Ops ops = new Ops(threads, kernels)) {
      Tensor h = ops.given(y, y.length / rows, rows).add(ops.given(x, x.length / rows, rows));
      Tensor normed = h.rmsNorm(EPSILON).mul(weight(ops, store, "gain"));
      Tensor up = weight(ops, store, "up").matMul(normed);
      Tensor gate = weight(ops, store, "gate").matMul(normed);
      Tensor out = weight(ops, store, "down").matMul(gate.glu(GluKind.SWIGLU, up)).add(h);
      return ops.compute(out);
    }
  }

  private static double[] feedForward(
      float[] gain, float[] gate, float[] up, float[] down, float[] x, float[] y, int rows) {
    int width = gain.length;
    int inner = gate.length / width;
    double[] all = new double[width * rows];
    for (int r = 0; r < rows; r++) {
      double[] h = new double[width];
      double squares = 0;
      for (int i = 0; i < width; i++) {
        h[i] = (double) x[r * width + i] + y[r * width + i];
        squares += h[i] * h[i];
      }
      double[] normed = new double[width];
      for (int i = 0; i < width; i++) {
        normed[i] = h[i] / Math.sqrt(squares / width + EPSILON) * gain[i];
      }
      double[] z = new double[inner];
      for (int i = 0; i < inner; i++) {
        double g = dot(gate, i, normed);
        z[i] = g / (1 + Math.exp(-g)) * dot(up, i, normed);
      }
      for (int i = 0; i < width; i++) {
        all[r * width + i] = dot(down, i, z) + h[i];
      }
    }
    return all;
  }

  @ParameterizedTest
  @EnumSource(GluKind.class)
  void activations_are_those_of_ggml(GluKind kind) throws IOException {
    stored("w", DType.Q8_0, 224, 33);
    float[] gate = values(224 * 2);
    float[] up = values(224 * 2);
    try (TensorStore store = builder.build()) {
      Function<Kernels, float[]> run =
          kernels -> {
            try (Ops ops = new Ops(1, kernels)) {
              Tensor z = ops.given(gate, 224, 2).glu(kind, ops.given(up, 224, 2));
              Tensor product = weight(ops, store, "w").matMul(z);
              requireFused(ops, product, kernels);
              return ops.compute(product);
            }
          };
      float[] apart = run.apply(without());
      assertThat(distance(run.apply(Kernels.own()), doubles(apart)))
          .isLessThan(ROUNDINGS * length(doubles(apart)));
    }
  }

  @Test
  void rows_that_hold_gate_and_up_are_gated() throws IOException {
    stored("w", DType.Q8_0, 96, 17);
    float[] both = values(192 * 2);
    try (TensorStore store = builder.build()) {
      Function<Kernels, float[]> run =
          kernels -> {
            try (Ops ops = new Ops(1, kernels)) {
              Tensor z = ops.given(both, 192, 2).gluFused(GluKind.SWIGLU);
              Tensor product = weight(ops, store, "w").matMul(z);
              requireFused(ops, product, kernels);
              return ops.compute(product);
            }
          };
      float[] apart = run.apply(without());
      assertThat(distance(run.apply(Kernels.own()), doubles(apart)))
          .isLessThan(ROUNDINGS * length(doubles(apart)));
    }
  }

  @Test
  void experts_are_gated() throws IOException {
    stored("w", DType.MXFP4, 64, 16, 4);
    float[] gate = values(64 * 2 * 2);
    float[] up = values(64 * 2 * 2);
    int[] ids = {3, 1, 0, 2};
    try (TensorStore store = builder.build()) {
      Function<Kernels, float[]> run =
          kernels -> {
            try (Ops ops = new Ops(1, kernels)) {
              Tensor chosen = ops.graph().indices("ids", DType.I32, 4, 2, 2);
              Tensor z = ops.given(gate, 64, 2, 2).glu(GluKind.SWIGLU_OAI, ops.given(up, 64, 2, 2));
              Tensor product = weight(ops, store, "w").matMulId(z, chosen);
              requireFused(ops, product, kernels);
              return ops.compute(product, compiled -> compiled.write(chosen, ids));
            }
          };
      float[] apart = run.apply(without());
      assertThat(distance(run.apply(Kernels.own()), doubles(apart)))
          .isLessThan(ROUNDINGS * length(doubles(apart)));
    }
  }

  /** That the values compared were computed in two ways. */
  private static void requireFused(Ops ops, Tensor product, Kernels kernels) {
    ops.graph().output(product);
    assertThat(FusedInputs.of(ops.graph().build(), kernels).sources().isEmpty())
        .isEqualTo(!kernels.families().contains(Kernels.Family.FUSED));
  }

  private static Kernels without() {
    return new Kernels(EnumSet.complementOf(EnumSet.of(Kernels.Family.FUSED)));
  }

  private static Tensor weight(Ops ops, TensorStore store, String name) {
    return ops.graph().stored(store.find(name).orElseThrow());
  }

  /** Stores random values and returns what they are once they have their type. */
  private float[] stored(String name, DType type, int width, int rows) throws IOException {
    return stored(name, type, width, rows, 1);
  }

  private float[] stored(String name, DType type, int width, int rows, int experts)
      throws IOException {
    float[] values = values(width * rows * experts);
    if (rows > 1) {
      for (int i = 0; i < values.length; i++) {
        values[i] /= (float) Math.sqrt(width);
      }
    }
    Path file = folder.resolve(name + random.nextLong());
    if (type == DType.F32) {
      ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
      bytes.asFloatBuffer().put(values);
      Files.write(file, bytes.array());
    } else {
      Files.write(file, Quantization.quantize(type, values, width, new float[0]));
    }
    Layout layout = Layout.dense(type, Shape.of(width, rows, experts));
    builder.mapped(name, layout, builder.map(file), 0);
    if (experts > 1) {
      return values;
    }
    try (TensorStore.Builder alone = TensorStore.builder("alone")) {
      alone.mapped(name, layout, alone.map(file), 0);
      try (TensorStore store = alone.build();
          Ops ops = new Ops()) {
        Tensor ids = ops.graph().indices("ids", DType.I32, rows, rows);
        int[] all = new int[rows];
        Arrays.setAll(all, i -> i);
        values =
            ops.compute(
                weight(ops, store, name).getRows(ids), compiled -> compiled.write(ids, all));
      }
    }
    return values;
  }

  private float[] values(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static double dot(float[] w, int row, double[] x) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += w[row * x.length + i] * x[i];
    }
    return sum;
  }

  private static double distance(float[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (a[i] - b[i]) * (a[i] - b[i]);
    }
    return Math.sqrt(sum);
  }

  private static double length(double[] a) {
    return distance(new float[a.length], a);
  }

  private static double[] doubles(float[] a) {
    double[] b = new double[a.length];
    for (int i = 0; i < a.length; i++) {
      b[i] = a[i];
    }
    return b;
  }
}
