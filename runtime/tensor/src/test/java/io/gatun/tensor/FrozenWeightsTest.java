package io.gatun.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.tensor.Op.UnaryKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Gradients through quantised weights that stay as they are, as adapters need them. */
class FrozenWeightsTest {
  @TempDir Path folder;

  private final SplittableRandom random = new SplittableRandom(11);

  /** What reaches the input of a frozen weight, for every kind of weights. */
  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {
        "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K",
        "Q6_K", "IQ4_NL", "IQ4_XS", "MXFP4"
      })
  void gradients_pass_through_frozen_weights(DType type) throws IOException {
    int in = 512;
    int out = 37;
    for (int tokens : new int[] {3, 19}) {
      float[] values = new float[in * out];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) random.nextGaussian();
      }
      Path file = folder.resolve(type + "-" + tokens);
      Files.write(file, Quantization.quantize(type, values, in, new float[0]));
      float[] c = new float[out * tokens];
      for (int i = 0; i < c.length; i++) {
        c[i] = (float) random.nextGaussian();
      }
      try (TensorStore.Builder builder = TensorStore.builder("frozen")) {
        builder.mapped("w", Layout.dense(type, Shape.of(in, out)), builder.map(file), 0);
        try (TensorStore store = builder.build();
            Ops ops = new Ops(2, Kernels.own())) {
          GraphBuilder graph = ops.graph();
          Tensor w = graph.stored(store.find("w").orElseThrow());
          Tensor x = ops.random(in, tokens);
          Tensor loss = w.matMul(x).mul(ops.given(c, out, tokens)).sum();
          Tensor ids = graph.indices("rows", DType.I32, out, out);
          Tensor exactly = w.getRows(ids);
          Tensor gradient = Gradients.of(graph, loss, List.of(x), RecomputePlan.none()).getFirst();
          graph.output(exactly);
          float[] floats = new float[in * out];
          float[] found =
              ops.compute(
                  gradient.concat(exactly, 1),
                  compiled -> {
                    int[] all = new int[out];
                    Arrays.setAll(all, i -> i);
                    compiled.write(ids, all);
                  });
          System.arraycopy(found, in * tokens, floats, 0, in * out);
          for (int t = 0; t < tokens; t++) {
            for (int i = 0; i < in; i++) {
              double sum = 0;
              for (int o = 0; o < out; o++) {
                sum += (double) floats[o * in + i] * c[t * out + o];
              }
              assertThat((double) found[t * in + i]).isCloseTo(sum, Offset.offset(2e-5));
            }
          }
        }
      }
    }
  }

  /**
   * Low-rank adapters on quantised weights, where layers multiply their input itself: products that
   * are computed again share that input with the first ones.
   */
  @Test
  void adapters_of_quantised_layers_get_the_same_gradients_from_every_plan() throws IOException {
    int width = 64;
    int layers = 9;
    try (TensorStore.Builder builder = TensorStore.builder("frozen")) {
      for (int l = 0; l < 2 * layers; l++) {
        Path file = folder.resolve("w" + l);
        float[] values = randoms(width * width, 0.2f);
        Files.write(file, Quantization.quantize(DType.Q8_0, values, width, new float[0]));
        Layout layout = Layout.dense(DType.Q8_0, Shape.of(width, width));
        builder.mapped("w" + l, layout, builder.map(file), 0);
      }
      float[] x = randoms(width * 40, 1f);
      float[] adapter = randoms(width * 4, 0.3f);
      try (TensorStore store = builder.build()) {
        List<float[]> expected = new ArrayList<>();
        long kept = adapters(store, layers, false, x, adapter, expected);
        List<float[]> found = new ArrayList<>();
        long again = adapters(store, layers, true, x, adapter, found);
        for (int i = 0; i < expected.size(); i++) {
          assertThat(found.get(i)).isEqualTo(expected.get(i));
        }
        assertThat(again).isLessThan(kept * 6 / 10);
      }
    }
  }

  /** Collects gradients; gives the bytes of intermediate values. */
  private static long adapters(
      TensorStore store,
      int layers,
      boolean recompute,
      float[] values,
      float[] adapter,
      List<float[]> found) {
    int width = 64;
    try (Backend backend = Backend.cpu(2, Kernels.own())) {
      GraphBuilder graph = new GraphBuilder();
      Tensor x = graph.input("x", DType.F32, width, values.length / width);
      Tensor h = x;
      List<Tensor> adapters = new ArrayList<>();
      List<Tensor> boundaries = new ArrayList<>();
      for (int l = 0; l < layers; l++) {
        boundaries.add(h);
        Tensor a = graph.input("a" + l, DType.F32, width, 4);
        Tensor b = graph.input("b" + l, DType.F32, 4, width);
        adapters.add(a);
        adapters.add(b);
        Tensor first = graph.stored(store.find("w" + 2 * l).orElseThrow()).matMul(h);
        Tensor second = graph.stored(store.find("w" + (2 * l + 1)).orElseThrow()).matMul(h);
        Tensor low = b.matMul(a.matMul(h));
        h = h.add(first.add(low).unary(UnaryKind.SILU).mul(second)).rmsNorm(1e-5f);
      }
      RecomputePlan plan =
          recompute ? RecomputePlan.everyBoundary(boundaries) : RecomputePlan.none();
      List<Tensor> gradients = Gradients.of(graph, h.mul(x).sum(), adapters, plan);
      gradients.forEach(graph::output);
      try (CompiledGraph compiled = backend.compile(graph.build())) {
        compiled.begin();
        compiled.write(x, values);
        adapters.forEach(input -> compiled.write(input, adapter));
        assertThat(compiled.compute()).isTrue();
        for (Tensor gradient : gradients) {
          float[] row = new float[(int) gradient.shape().d0()];
          for (int r = 0; r < gradient.shape().rows(); r++) {
            compiled.readRow(gradient, r, row);
            found.add(row.clone());
          }
        }
        return compiled.computeBytes();
      }
    }
  }

  private float[] randoms(int count, float scale) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = scale * (float) random.nextGaussian();
    }
    return values;
  }
}
