package io.gatun.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.tensor.Op.GluKind;
import io.gatun.tensor.Op.UpdateRule;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Function;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Whole steps of a small transformer: forward, backward and update in one compute. */
class TrainingStepTest {
  private static final int WIDTH = 32;
  private static final int HEADS = 4;
  private static final int GROUPS = 2;
  private static final int LAYERS = 9;
  private static final int VOCABULARY = 40;
  private static final int TOKENS = 24;

  private final SplittableRandom random = new SplittableRandom(11);

  /** A decoder whose weights are stored, and what a step of it is made of. */
  private static final class Model {
    final GraphBuilder graph = new GraphBuilder();
    final List<Tensor> parameters = new ArrayList<>();
    final List<Tensor> boundaries = new ArrayList<>();
    final Tensor tokens = graph.indices("tokens", DType.I32, VOCABULARY, TOKENS);
    final Tensor labels = graph.indices("labels", DType.I32, VOCABULARY, TOKENS);
    final Tensor weights = graph.input("weights", DType.F32, TOKENS);
    final Tensor positions = graph.indices("positions", DType.I32, TOKENS, TOKENS);
    final Tensor mask = graph.input("mask", DType.F16, TOKENS, TOKENS);
    final StoredValues stored;
    final Tensor loss;

    Model(StoredValues stored) {
      this.stored = stored;
      Tensor embedding = parameter("embedding");
      Tensor x = embedding.getRows(tokens);
      for (int l = 0; l < LAYERS; l++) {
        boundaries.add(x);
        x = layer("layer" + l + ".", x);
      }
      Tensor logits = embedding.matMul(x.rmsNorm(1e-5f));
      loss = logits.crossEntropy(labels, weights).sum();
    }

    Tensor layer(String name, Tensor x) {
      int d = WIDTH / HEADS;
      RopeParameters rope = RopeParameters.plain(d, true, 64, 1e4f);
      Tensor h = x.rmsNorm(1e-5f).mul(parameter(name + "norm"));
      Tensor q = parameter(name + "q").matMul(h).reshape(d, HEADS, TOKENS).rope(positions, rope);
      Tensor k = parameter(name + "k").matMul(h).reshape(d, GROUPS, TOKENS).rope(positions, rope);
      Tensor v = parameter(name + "v").matMul(h).reshape(d, GROUPS, TOKENS);
      Tensor a =
          graph.attention(
              q.permute(0, 2, 1, 3), k.permute(0, 2, 1, 3), v.permute(0, 2, 1, 3), mask, 0.35f, 0f);
      Tensor y = x.add(parameter(name + "out").matMul(a.reshape(WIDTH, TOKENS)));
      Tensor f = y.rmsNorm(1e-5f);
      Tensor gate = parameter(name + "gate").matMul(f);
      Tensor up = parameter(name + "up").matMul(f);
      return y.add(parameter(name + "down").matMul(gate.glu(GluKind.SWIGLU, up)));
    }

    Tensor parameter(String name) {
      Tensor leaf = graph.stored(stored.get(name));
      if (!parameters.contains(leaf)) {
        parameters.add(leaf);
      }
      return leaf;
    }

    void write(CompiledGraph compiled) {
      int[] ids = new int[TOKENS];
      int[] next = new int[TOKENS];
      int[] at = new int[TOKENS];
      float[] counted = new float[TOKENS];
      short[] hidden = new short[TOKENS * TOKENS];
      for (int t = 0; t < TOKENS; t++) {
        ids[t] = 7 * t % VOCABULARY;
        next[t] = 7 * (t + 1) % VOCABULARY;
        at[t] = t;
        counted[t] = t < 3 ? 0f : 1f / (TOKENS - 3);
        Arrays.fill(hidden, t * TOKENS + t + 1, (t + 1) * TOKENS, (short) 0xfc00);
      }
      compiled.begin();
      compiled.write(tokens, ids);
      compiled.write(labels, next);
      compiled.write(weights, counted);
      compiled.write(positions, at);
      compiled.write(mask, hidden, hidden.length);
    }
  }

  private static Map<String, Layout> layouts() {
    Map<String, Layout> layouts = new LinkedHashMap<>();
    layouts.put("embedding", matrix(WIDTH, VOCABULARY));
    for (int l = 0; l < LAYERS; l++) {
      String name = "layer" + l + ".";
      layouts.put(name + "norm", matrix(WIDTH, 1));
      layouts.put(name + "q", matrix(WIDTH, WIDTH));
      layouts.put(name + "k", matrix(WIDTH, WIDTH / HEADS * GROUPS));
      layouts.put(name + "v", matrix(WIDTH, WIDTH / HEADS * GROUPS));
      layouts.put(name + "out", matrix(WIDTH, WIDTH));
      layouts.put(name + "gate", matrix(WIDTH, 3 * WIDTH));
      layouts.put(name + "up", matrix(WIDTH, 3 * WIDTH));
      layouts.put(name + "down", matrix(3 * WIDTH, WIDTH));
    }
    return layouts;
  }

  private static Layout matrix(int in, int out) {
    return Layout.dense(DType.F32, Shape.of(in, out));
  }

  private void fill(StoredValues stored, Map<String, Layout> layouts) {
    layouts.forEach((name, layout) -> {
      if (!name.contains("moment")) {
        float[] values = new float[(int) layout.shape().elements()];
        for (int i = 0; i < values.length; i++) {
          values[i] = name.endsWith("norm") ? 1f : 0.15f * (float) random.nextGaussian();
        }
        stored.fill(name, values);
      }
    });
  }

  private record Result(List<float[]> gradients, long bytes) {}

  private Result gradients(
      int threads, Kernels kernels, Function<List<Tensor>, RecomputePlan> plan) {
    try (Backend backend = Backend.cpu(threads, kernels);
        StoredValues stored = new StoredValues(backend, layouts())) {
      fillSeeded(stored);
      Model model = new Model(stored);
      List<Tensor> gradients =
          Gradients.of(model.graph, model.loss, model.parameters, plan.apply(model.boundaries));
      model.graph.output(model.loss);
      gradients.forEach(model.graph::output);
      try (CompiledGraph compiled = backend.compile(model.graph.build())) {
        model.write(compiled);
        assertThat(compiled.compute()).isTrue();
        List<float[]> values = new ArrayList<>();
        for (Tensor gradient : gradients) {
          int width = (int) gradient.shape().d0();
          float[] all = new float[(int) gradient.shape().elements()];
          float[] row = new float[width];
          for (int r = 0; r < all.length / width; r++) {
            compiled.readRow(gradient, r, row);
            System.arraycopy(row, 0, all, r * width, width);
          }
          values.add(all);
        }
        return new Result(values, memory(backend, stored, plan));
      }
    }
  }

  /** Of a step that gives gradients away one by one, as updates do. */
  private static long memory(
      Backend backend, StoredValues stored, Function<List<Tensor>, RecomputePlan> plan) {
    Model model = new Model(stored);
    Gradients.each(
        model.graph,
        model.loss,
        model.parameters,
        plan.apply(model.boundaries),
        (parameter, gradient) -> {
          var _ = parameter.blend(1f, -0.1f, gradient);
        });
    model.graph.output(model.loss);
    try (CompiledGraph compiled = backend.compile(model.graph.build())) {
      return compiled.computeBytes();
    }
  }

  private void fillSeeded(StoredValues stored) {
    SplittableRandom seeded = new SplittableRandom(5);
    layouts()
        .forEach((name, layout) -> {
          float[] values = new float[(int) layout.shape().elements()];
          for (int i = 0; i < values.length; i++) {
            values[i] = name.endsWith("norm") ? 1f : 0.15f * (float) seeded.nextGaussian();
          }
          stored.fill(name, values);
        });
  }

  @ParameterizedTest
  @CsvSource({"own,1", "own,2", "ggml,1"})
  void values_computed_again_give_the_same_gradients_in_less_memory(String kernels, int threads) {
    Kernels chosen = Kernels.parse(kernels);
    Result all = gradients(threads, chosen, _ -> RecomputePlan.none());
    Result every = gradients(threads, chosen, RecomputePlan::everyBoundary);
    Result root = gradients(threads, chosen, RecomputePlan::squareRoot);
    Result selective = gradients(threads, chosen, RecomputePlan::selective);
    for (Result other : List.of(every, root, selective)) {
      for (int p = 0; p < all.gradients().size(); p++) {
        assertThat(other.gradients().get(p)).isEqualTo(all.gradients().get(p));
      }
    }
    assertThat(selective.bytes()).isLessThan(all.bytes());
    assertThat(every.bytes()).isLessThan(selective.bytes());
    assertThat(root.bytes()).isLessThan(selective.bytes());
  }

  @Test
  void gradients_do_not_depend_on_the_number_of_threads() {
    Result one = gradients(1, Kernels.own(), RecomputePlan::everyBoundary);
    Result three = gradients(3, Kernels.own(), RecomputePlan::everyBoundary);
    for (int p = 0; p < one.gradients().size(); p++) {
      assertThat(three.gradients().get(p)).isEqualTo(one.gradients().get(p));
    }
  }

  @ParameterizedTest
  @EnumSource(UpdateRule.class)
  void a_model_learns_its_text(UpdateRule rule) {
    Map<String, Layout> layouts = layouts();
    layouts()
        .forEach((name, layout) -> {
          layouts.put("gradient." + name + ".moment", layout);
          for (int m = 0; m < rule.moments(); m++) {
            layouts.put(name + ".moment" + m, Tensor.momentLayout(rule, layout.shape()));
          }
        });
    try (Backend backend = Backend.cpu(2, Kernels.own());
        StoredValues stored = new StoredValues(backend, layouts)) {
      fill(stored, layouts);
      Model model = new Model(stored);
      GraphBuilder graph = model.graph;
      Tensor settings = graph.input("settings", DType.F32, Op.SETTINGS);
      List<Tensor> sums = new ArrayList<>();
      List<Tensor> kept = new ArrayList<>();
      Gradients.each(
          graph,
          model.loss,
          model.parameters,
          RecomputePlan.everyBoundary(model.boundaries),
          (parameter, gradient) -> {
            // Stored until the norm of all of them is known.
            Tensor place = graph.stored(stored.get("gradient." + parameter.name() + ".moment"));
            Tensor stays = place.blend(0f, 1f, gradient);
            kept.add(stays);
            sums.add(stays.sumSquares());
          });
      Tensor squares = sums.stream().reduce(Tensor::add).orElseThrow();
      for (Tensor parameter : model.parameters) {
        Tensor gradient =
            kept.stream()
                .filter(g -> g.operands().getFirst().name().contains("." + parameter.name() + "."))
                .findFirst()
                .orElseThrow();
        Tensor[] moments = new Tensor[rule.moments()];
        for (int m = 0; m < moments.length; m++) {
          moments[m] = graph.stored(stored.get(parameter.name() + ".moment" + m));
        }
        var _ = parameter.update(rule, gradient, settings, squares, moments);
      }
      graph.output(model.loss);
      graph.output(squares);
      UpdateSettings given =
          UpdateSettings.defaults(
                  switch (rule) {
                    case SGD -> 0.1f;
                    case LION -> 0.002f;
                    case ADAMW, ADAMW_8BIT -> 0.01f;
                  })
              .withNormMax(1f);
      try (CompiledGraph compiled = backend.compile(graph.build())) {
        float first = 0;
        float[] loss = new float[1];
        for (int step = 1; step <= 40; step++) {
          model.write(compiled);
          compiled.write(settings, given.withStep(step).toArray());
          assertThat(compiled.compute()).isTrue();
          compiled.readRow(model.loss, 0, loss);
          first = step == 1 ? loss[0] : first;
        }
        assertThat(loss[0]).as("from %s", first).isLessThan(0.3f * first);
      }
    }
  }

  @Test
  void gradients_of_mini_batches_are_summed_where_they_are_stored() {
    int in = 70;
    int out = 33;
    int tokens = 21;
    Map<String, Layout> layouts = new LinkedHashMap<>();
    layouts.put("w", matrix(in, out));
    layouts.put("sum", matrix(in, out));
    try (Backend backend = Backend.cpu(2, Kernels.own());
        StoredValues stored = new StoredValues(backend, layouts)) {
      GraphBuilder graph = new GraphBuilder();
      Tensor w = graph.stored(stored.get("w"));
      Tensor x = graph.input("x", DType.F32, in, tokens);
      Tensor c = graph.input("c", DType.F32, out, tokens);
      Tensor loss = w.matMul(x).mul(c).sum();
      Tensor gradient = Gradients.of(graph, loss, List.of(w), RecomputePlan.none()).getFirst();
      graph.output(graph.stored(stored.get("sum")).blend(1f, 1f, gradient));
      float[] xs = new float[in * tokens];
      float[] cs = new float[out * tokens];
      double[] expected = new double[in * out];
      Graph built = graph.build();
      try (CompiledGraph compiled = backend.compile(built)) {
        assertThat(compiled.computeBytes())
            .as("inputs and results, but no gradient of %d bytes", 4 * in * out)
            .isLessThan(4L * (in + 2 * out) * tokens + 4L * in * out);
        for (int batch = 0; batch < 3; batch++) {
          for (int i = 0; i < xs.length; i++) {
            xs[i] = (float) random.nextGaussian();
          }
          for (int i = 0; i < cs.length; i++) {
            cs[i] = (float) random.nextGaussian();
          }
          compiled.begin();
          compiled.write(built.input("x"), xs);
          compiled.write(built.input("c"), cs);
          assertThat(compiled.compute()).isTrue();
          for (int t = 0; t < tokens; t++) {
            for (int o = 0; o < out; o++) {
              for (int i = 0; i < in; i++) {
                expected[o * in + i] += (double) cs[t * out + o] * xs[t * in + i];
              }
            }
          }
        }
      }
      float[] sum = stored.read("sum");
      for (int i = 0; i < sum.length; i++) {
        assertThat((double) sum[i]).isCloseTo(expected[i], Offset.offset(3e-5));
      }
    }
  }

  @Test
  void gradients_of_experts_are_summed_where_they_are_stored() {
    Layout layout = Layout.dense(DType.F32, Shape.of(20, 7, 4));
    try (Backend backend = Backend.cpu(2, Kernels.own());
        StoredValues stored = new StoredValues(backend, Map.of("w", layout, "sum", layout))) {
      GraphBuilder graph = new GraphBuilder();
      Tensor w = graph.stored(stored.get("w"));
      Tensor x = graph.input("x", DType.F32, 20, 1, 5);
      Tensor ids = graph.indices("ids", DType.I32, 4, 2, 5);
      Tensor loss = w.matMulId(x, ids).sum();
      Tensor gradient = Gradients.of(graph, loss, List.of(w), RecomputePlan.none()).getFirst();
      graph.output(graph.stored(stored.get("sum")).blend(1f, 1f, gradient));
      int[] chosen = {0, 3, 3, 1, 0, 1, 1, 3, 3, 0}; // never 2
      float[] xs = new float[100];
      for (int i = 0; i < xs.length; i++) {
        xs[i] = i % 7 - 3;
      }
      try (CompiledGraph compiled = backend.compile(graph.build())) {
        for (int batch = 0; batch < 2; batch++) {
          compiled.begin();
          compiled.write(x, xs);
          compiled.write(ids, chosen);
          assertThat(compiled.compute()).isTrue();
        }
      }
      float[] expected = new float[20 * 7 * 4];
      for (int pair = 0; pair < chosen.length; pair++) {
        for (int i = 0; i < 140; i++) {
          expected[chosen[pair] * 140 + i] += 2 * xs[pair / 2 * 20 + i % 20];
        }
      }
      assertThat(stored.read("sum")).isEqualTo(expected);
    }
  }
}
