package io.gatun.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rotary positions and writes into the cache as one node: the same as GGML's nodes. */
class FusedRopesTest {
  private static final int CELLS = 64;
  private static final int HEADS = 6;
  private static final int KV_HEADS = 2;

  @TempDir Path folder;

  private final SplittableRandom random = new SplittableRandom(5);

  @BeforeEach
  void vectors() {
    assumeThat(Kernels.own().multiplies(DType.Q4_K)).as("vector instructions").isTrue();
  }

  /** How a test's rotation differs from the plain one. */
  private record Variant(RopeParameters rope, boolean factors, boolean normed) {}

  @ParameterizedTest
  @CsvSource({
    "F32,64,1",
    "F16,128,3",
    "BF16,80,2",
    "Q8_0,64,1",
    "F16,96,20",
    "Q8_0,32,5",
    "F32,40,1"
  })
  void attention_over_a_cache_gives_what_ggml_gives(DType type, int dim, int rows)
      throws IOException {
    for (int bits = 0; bits < 16; bits++) {
      RopeParameters plain = RopeParameters.plain(dim, (bits & 1) != 0, 4096, 10000f);
      RopeParameters rope = (bits & 2) == 0 ? plain : yarn(dim / 2 / 2 * 2, plain.neox());
      Variant variant = new Variant(rope, (bits & 4) != 0, (bits & 8) != 0);
      float[] qkv = values(dim * (HEADS + 2 * KV_HEADS) * rows);
      float[] expected = attend(type, dim, rows, variant, qkv, Kernels.ggml(), 1);
      float[] result = attend(type, dim, rows, variant, qkv, Kernels.parse("fused"), 1);
      assertThat(attend(type, dim, rows, variant, qkv, Kernels.parse("fused"), 2))
          .containsExactly(result);
      // A value that is rounded the other way, to 8 bits or to Q8_0's, moves the average over few
      // cells.
      float off = type == DType.F32 ? 2e-5f : type == DType.F16 ? 5e-3f : 2e-2f;
      for (int i = 0; i < result.length; i++) {
        assertThat(result[i]).as("%s", variant).isCloseTo(expected[i], Offset.offset(off));
      }
    }
  }

  private static RopeParameters yarn(int dims, boolean neox) {
    return new RopeParameters(dims, neox, 256, 500000f, 0.25f, 1f, 1.1f, 32f, 1f);
  }

  /** Queries, keys and values lie in one tensor, as those of a fused projection do. */
  private float[] attend(
      DType type, int dim, int rows, Variant variant, float[] qkv, Kernels kernels, int threads)
      throws IOException {
    try (TensorStore store = store(type, dim);
        Ops ops = new Ops(threads, kernels)) {
      Tensor all = ops.given(qkv, (long) dim * (HEADS + 2 * KV_HEADS), rows);
      Tensor factors = ops.given(factors(dim), dim);
      Layer layer =
          new Layer(ops.graph(), store, dim, rows, variant, all, variant.factors ? factors : all);
      Tensor out = layer.build();
      ops.graph().output(out);
      assertThat(FusedRopes.of(ops.graph().build(), kernels).nodes().isEmpty())
          .isEqualTo(kernels.families().isEmpty());
      int[] positions = new int[rows];
      long[] cells = new long[rows];
      short[] mask = new short[CELLS * rows];
      for (int t = 0; t < rows; t++) {
        positions[t] = 50 + 7 * t;
        cells[t] = (5 + 3 * t) % CELLS;
        for (int c = 0; c < CELLS; c++) {
          boolean open = (c - 5) % 3 == 0 && (c - 5) / 3 <= t && c >= 5;
          mask[t * CELLS + c] = Float.floatToFloat16(open ? 0 : Float.NEGATIVE_INFINITY);
        }
      }
      return ops.compute(
          out,
          compiled -> {
            compiled.write(layer.positions, positions);
            compiled.write(layer.cells, cells);
            compiled.write(layer.mask, mask, mask.length);
          });
    }
  }

  /** The nodes of attention over a cache, as the model module makes them. */
  private static final class Layer {
    final GraphBuilder graph;
    final Tensor keys;
    final Tensor values;
    final Tensor positions;
    final Tensor cells;
    final Tensor mask;
    final Tensor q;
    final Tensor k;
    final Tensor v;
    final int rows;

    Layer(
        GraphBuilder graph,
        TensorStore store,
        int dim,
        int rows,
        Variant variant,
        Tensor all,
        Tensor factors) {
      this.graph = graph;
      this.rows = rows;
      keys = graph.stored(store.find("keys").orElseThrow());
      values = graph.stored(store.find("values").orElseThrow());
      positions = graph.indices("positions", DType.I32, 100000, rows);
      cells = graph.indices("cells", DType.I64, CELLS, rows);
      mask = graph.input("mask", DType.F16, CELLS, rows);
      Tensor gain = graph.stored(store.find("gain").orElseThrow());
      Tensor q0 = part(all, dim, 0, HEADS);
      Tensor k0 = part(all, dim, HEADS, KV_HEADS);
      if (variant.normed) {
        q0 = q0.rmsNorm(1e-6f).mul(gain);
        k0 = k0.rmsNorm(1e-6f).mul(gain);
      }
      q =
          variant.factors
              ? q0.rope(positions, factors, variant.rope)
              : q0.rope(positions, variant.rope);
      k =
          variant.factors
              ? k0.rope(positions, factors, variant.rope)
              : k0.rope(positions, variant.rope);
      v = part(all, dim, HEADS + KV_HEADS, KV_HEADS);
    }

    private static Tensor part(Tensor all, int dim, int from, int heads) {
      long row = all.layout().s1();
      long rows = all.shape().d1();
      long head = Float.BYTES * (long) dim;
      return all.view(Shape.of(dim, heads, rows), head, row, row * rows, head * from);
    }

    Tensor build() {
      var _ = keys.setRows(flat(k), cells);
      var _ = values.setRows(flat(v), cells);
      return attend();
    }

    Tensor attend() {
      float scale = 1 / (float) Math.sqrt((double) q.shape().d0());
      Tensor out =
          graph.attention(q.permute(0, 2, 1, 3), read(keys), read(values), mask, scale, 0f);
      return out.reshape(out.shape().d0() * out.shape().d1(), rows);
    }

    static Tensor flat(Tensor x) {
      Shape s = x.shape();
      long stride = x.layout().s2();
      return x.view(Shape.of(s.d0() * s.d1(), s.d2()), stride, stride * s.d2(), stride * s.d2(), 0);
    }

    private static Tensor read(Tensor cache) {
      long dim = cache.shape().d0() / KV_HEADS;
      long head = cache.type().rowBytes(dim);
      long cell = cache.layout().s1();
      return cache
          .view(Shape.of(dim, KV_HEADS, CELLS), head, cell, cell * CELLS, 0)
          .permute(0, 2, 1, 3);
    }
  }

  @Test
  void all_between_projections_and_attention_is_absorbed() throws IOException {
    try (TensorStore store = store(DType.F16, 64)) {
      GraphBuilder graph = new GraphBuilder();
      Layer layer = layer(graph, store, true);
      graph.output(layer.build());
      FusedRopes found = FusedRopes.of(graph.build(), Kernels.own());
      assertThat(found.nodes()).hasSize(1);
      // Two ropes, two norms with their gains, two views, two writes.
      assertThat(found.absorbed()).hasSize(10).contains(layer.q.index(), layer.k.index());
      FusedRopes none = new FusedRopes(Map.of(), Set.of());
      assertThat(FusedRopes.of(graph.build(), Kernels.ggml())).isEqualTo(none);
      assertThat(FusedRopes.of(graph.build(), Kernels.parse("attention,matmul"))).isEqualTo(none);
    }
  }

  @Test
  void what_is_read_elsewhere_keeps_its_nodes() throws IOException {
    try (TensorStore store = store(DType.F16, 64)) {
      requireNothing(store, layer -> layer.graph.output(layer.q));
      requireNothing(store, layer -> layer.graph.output(layer.k));
      requireNothing(store, layer -> layer.graph.output(layer.k.scale(2)));
      requireNothing(store, layer -> layer.graph.output(layer.q.scale(2)));
      // Read before this batch is written.
      requireNothing(store, layer -> layer.graph.output(layer.keys.cast(DType.F32)));
      // Written twice.
      requireNothing(store, layer -> layer.values.setRows(Layer.flat(layer.k), layer.cells));
    }
  }

  private static void requireNothing(TensorStore store, Consumer<Layer> other) {
    GraphBuilder graph = new GraphBuilder();
    Layer layer = layer(graph, store, false);
    other.accept(layer);
    graph.output(layer.build());
    assertThat(FusedRopes.of(graph.build(), Kernels.own()).nodes()).isEmpty();
  }

  @Test
  void a_norm_that_is_read_elsewhere_keeps_its_node() throws IOException {
    try (TensorStore store = store(DType.F16, 64)) {
      GraphBuilder graph = new GraphBuilder();
      Layer layer = layer(graph, store, true);
      graph.output(layer.build());
      graph.output(layer.q.operands().getFirst());
      FusedRopes found = FusedRopes.of(graph.build(), Kernels.own());
      assertThat(found.nodes().values()).allMatch(turned -> turned.norms().isEmpty()).hasSize(1);
    }
  }

  private static Layer layer(GraphBuilder graph, TensorStore store, boolean normed) {
    Tensor all = graph.input("qkv", DType.F32, 64 * (HEADS + 2 * KV_HEADS), 2);
    Variant variant = new Variant(RopeParameters.plain(64, true, 512, 10000f), false, normed);
    return new Layer(graph, store, 64, 2, variant, all, all);
  }

  private TensorStore store(DType type, int dim) throws IOException {
    try (TensorStore.Builder builder = TensorStore.builder("cache")) {
      Layout cache = Layout.dense(type, Shape.of((long) dim * KV_HEADS, CELLS));
      builder.zeroed("keys", cache, Device.cpu());
      builder.zeroed("values", cache, Device.cpu());
      float[] gains = factors(dim);
      ByteBuffer bytes = ByteBuffer.allocate(4 * dim).order(ByteOrder.LITTLE_ENDIAN);
      bytes.asFloatBuffer().put(gains);
      Path file = Files.write(folder.resolve("gain" + random.nextLong()), bytes.array());
      builder.mapped("gain", Layout.dense(DType.F32, Shape.of(dim)), builder.map(file), 0);
      return builder.build();
    }
  }

  private static float[] factors(int count) {
    float[] factors = new float[count];
    for (int i = 0; i < count; i++) {
      factors[i] = 1 + 0.5f * (float) Math.sin(i);
    }
    return factors;
  }

  private float[] values(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
