package io.gatun.adapters.training;

import io.gatun.model.Model;
import io.gatun.model.Modifier;
import io.gatun.model.WeightSource;
import io.gatun.model.adapter.LoraAdapter;
import io.gatun.model.adapter.LowRank;
import io.gatun.tensor.GraphBuilder;
import io.gatun.tensor.Shape;
import io.gatun.tensor.StoredTensor;
import io.gatun.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * Low-rank changes of frozen matrices of any type (arXiv 2106.09685; on quantised ones arXiv
 * 2305.14314). A begins at random, B at 0, so that training starts from the model itself.
 *
 * @param rank r
 * @param alpha α; changes count α/r
 * @param rankStabilised whether they count α/√r instead (arXiv 2312.03732)
 * @param targets which matrices, by their names without {@code .weight}
 */
public record LoraParameters(int rank, float alpha, boolean rankStabilised, Pattern targets)
    implements Parameters {
  /** The projections of attention and of the feed-forward network. */
  public static final Pattern ALL_LINEAR =
      Pattern.compile("attn_(q|k|v|qkv|output)|ffn_(gate|up|down)");

  public LoraParameters {
    if (rank < 1 || rank > 4096) {
      throw new IllegalArgumentException("rank must be 1 to 4096, got " + rank);
    }
  }

  /** Rank r with α = 2r on every projection. */
  public static LoraParameters ofRank(int rank) {
    return new LoraParameters(rank, 2f * rank, false, ALL_LINEAR);
  }

  @Override
  public Map<String, Shape> shapes(Model model) {
    Map<String, Shape> shapes = new LinkedHashMap<>();
    for (StoredTensor w : model.weights().tensors()) {
      if (matches(w)) {
        String matrix = w.name().substring(0, w.name().length() - ".weight".length());
        shapes.put(matrix + ".lora_a", Shape.of(w.shape().d0(), rank));
        shapes.put(matrix + ".lora_b", Shape.of(rank, w.shape().d1()));
      }
    }
    if (shapes.isEmpty()) {
      throw new IllegalArgumentException(
          "no matrix of %s matches \"%s\"".formatted(model.name(), targets));
    }
    return shapes;
  }

  @Override
  public float[] initial(Model model, String name, SplittableRandom random) {
    Shape shape = Objects.requireNonNull(shapes(model).get(name));
    float[] values = new float[Math.toIntExact(shape.elements())];
    if (name.endsWith(".lora_a")) {
      // Kaiming's uniform with a = √5, as PEFT begins: ±1/√in
      double range = 1 / Math.sqrt((double) shape.d0());
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) ((2 * random.nextDouble() - 1) * range);
      }
    }
    return values;
  }

  @Override
  public Changes changes(GraphBuilder g, int rows, WeightSource trained) {
    Modifier lowRank =
        new Modifier() {
          @Override
          public Tensor linear(String name, Tensor x, Tensor y) {
            Optional<StoredTensor> a = trained.find(name + ".lora_a");
            if (a.isEmpty()) {
              return y;
            }
            Tensor low = g.stored(a.get()).matMul(x); // [r, T]
            return y.add(
                g.stored(trained.find(name + ".lora_b").orElseThrow()).matMul(low).scale(scale()));
          }
        };
    return new Changes(lowRank, (_, _) -> {});
  }

  /** What the trained numbers are as an adapter. */
  public LoraAdapter adapter(
      Model model, String name, Function<String, float[]> values, Map<String, String> metadata) {
    Map<String, LowRank> deltas = new TreeMap<>();
    for (var entry : shapes(model).entrySet()) {
      if (entry.getKey().endsWith(".lora_a")) {
        String matrix = entry.getKey().substring(0, entry.getKey().length() - ".lora_a".length());
        int in = (int) entry.getValue().d0();
        float[] b = values.apply(matrix + ".lora_b");
        deltas.put(
            matrix,
            new LowRank(in, b.length / rank, rank, 1, values.apply(entry.getKey()), b, scale()));
      }
    }
    return new LoraAdapter(name, model.hyperparams().architecture(), deltas, metadata);
  }

  private float scale() {
    return rankStabilised ? alpha / (float) Math.sqrt(rank) : alpha / rank;
  }

  private boolean matches(StoredTensor w) {
    return w.name().endsWith(".weight")
        && w.shape().d1() > 1
        && w.shape().d2() == 1
        && !w.name().startsWith("token_embd")
        && targets.matcher(w.name()).find();
  }
}
