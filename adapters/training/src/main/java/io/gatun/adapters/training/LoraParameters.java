package io.gatun.adapters.training;

import io.gatun.model.Model;
import io.gatun.model.adapter.LoraAdapter;
import io.gatun.model.adapter.LowRank;
import io.gatun.tensor.Shape;
import io.gatun.tensor.StoredTensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * Low-rank changes of frozen matrices of any type (arXiv 2106.09685; on quantised ones arXiv
 * 2305.14314), on request with a trained length of each row (DoRA, arXiv 2402.09353). A begins at
 * random, B at 0, so that training starts from the model itself. Expert matrices get a pair for
 * each expert.
 *
 * @param rank r
 * @param alpha α; changes count α/r
 * @param rankStabilised whether they count α/√r instead (arXiv 2312.03732)
 * @param dropout the share of what A is multiplied with that is left out while learning, chosen
 *     anew in each pass
 * @param magnitudes whether the length of each row is trained too
 * @param targets which matrices, by their names with {@code .weight}
 */
public record LoraParameters(
    int rank,
    float alpha,
    boolean rankStabilised,
    float dropout,
    boolean magnitudes,
    Pattern targets)
    implements Parameters {
  /** The projections of attention and of the feed-forward network, experts too; not routers. */
  public static final Pattern ALL_LINEAR =
      Pattern.compile("(attn_(q|k|v|qkv|output)|ffn_(gate|up|down)(_exps|_shexp)?)\\.weight");

  static final String A = ".lora_a";
  static final String B = ".lora_b";
  static final String MAGNITUDE = ".magnitude";
  private static final String WEIGHT = ".weight";

  public LoraParameters {
    if (rank < 1 || rank > 4096) {
      throw new IllegalArgumentException("rank must be 1 to 4096, got " + rank);
    }
    if (!(dropout >= 0 && dropout < 1)) {
      throw new IllegalArgumentException("dropout must be in [0, 1), got " + dropout);
    }
  }

  /** Rank r with α = 2r on every projection. */
  public static LoraParameters ofRank(int rank) {
    return new LoraParameters(rank, 2f * rank, false, 0, false, ALL_LINEAR);
  }

  public LoraParameters withAlpha(float other) {
    return new LoraParameters(rank, other, rankStabilised, dropout, magnitudes, targets);
  }

  public LoraParameters withRankStabilised(boolean stabilised) {
    return new LoraParameters(rank, alpha, stabilised, dropout, magnitudes, targets);
  }

  public LoraParameters withDropout(float rate) {
    return new LoraParameters(rank, alpha, rankStabilised, rate, magnitudes, targets);
  }

  /** A DoRA instead of a LoRA, or the other way round. */
  public LoraParameters withMagnitudes(boolean trained) {
    return new LoraParameters(rank, alpha, rankStabilised, dropout, trained, targets);
  }

  public LoraParameters withTargets(Pattern names) {
    return new LoraParameters(rank, alpha, rankStabilised, dropout, magnitudes, names);
  }

  @Override
  public Map<String, Shape> shapes(Model model) {
    Map<String, Shape> shapes = new LinkedHashMap<>();
    for (StoredTensor w : model.weights().tensors()) {
      if (matches(w) && model.hyperparams().computes(w.name())) {
        String matrix = w.name().substring(0, w.name().length() - WEIGHT.length());
        Shape s = w.shape();
        shapes.put(matrix + A, Shape.of(s.d0(), rank, s.d2()));
        shapes.put(matrix + B, Shape.of(rank, s.d1(), s.d2()));
        if (magnitudes && s.d2() > 1) {
          throw new IllegalArgumentException(
              "a DoRA cannot change the expert matrices of %s; choose other targets"
                  .formatted(w.name()));
        }
        if (magnitudes) {
          shapes.put(matrix + MAGNITUDE, Shape.of(s.d1()));
        }
      }
    }
    if (shapes.isEmpty()) {
      throw new IllegalArgumentException(
          "no matrix of %s matches \"%s\"".formatted(model.name(), targets));
    }
    return shapes;
  }

  @Override
  public float[] initial(Model model, String name, Shape shape, SplittableRandom random) {
    if (name.endsWith(MAGNITUDE)) {
      // As long as they are: training starts from the model itself.
      float[] lengths =
          RowNorms.squares(model, name.substring(0, name.length() - MAGNITUDE.length()));
      for (int i = 0; i < lengths.length; i++) {
        lengths[i] = (float) Math.sqrt(lengths[i]);
      }
      return lengths;
    }
    float[] values = new float[Math.toIntExact(shape.elements())];
    if (name.endsWith(A)) {
      // Kaiming's uniform with a = √5, as PEFT begins: ±1/√in
      double range = 1 / Math.sqrt((double) shape.d0());
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) ((2 * random.nextDouble() - 1) * range);
      }
    }
    return values;
  }

  @Override
  public Changes changes(Forward forward) {
    LowRankChanges changes = new LowRankChanges(forward, this);
    return new Changes(changes, (target, _, key) -> changes.write(target, key));
  }

  @Override
  public boolean decays(String name) {
    return !name.endsWith(MAGNITUDE);
  }

  @Override
  public String settings() {
    return "alpha %s dropout %s ".formatted(alpha, dropout);
  }

  /** What the trained numbers are as an adapter. */
  public LoraAdapter adapter(
      Model model, String name, Function<String, float[]> values, Map<String, String> metadata) {
    Map<String, LowRank> deltas = new TreeMap<>();
    Map<String, Shape> shapes = shapes(model);
    shapes.forEach((down, a) -> {
      if (down.endsWith(A)) {
        String matrix = down.substring(0, down.length() - A.length());
        LowRank plain =
            new LowRank(
                (int) a.d0(),
                (int) Objects.requireNonNull(shapes.get(matrix + B)).d1(),
                rank,
                (int) a.d2(),
                values.apply(down),
                values.apply(matrix + B),
                scale());
        deltas.put(
            matrix,
            magnitudes ? rescaled(model, matrix, plain, values.apply(matrix + MAGNITUDE)) : plain);
      }
    });
    return new LoraAdapter(name, model.hyperparams().architecture(), deltas, metadata);
  }

  /** m / ‖W'‖ · (W + s·B·A) as what it adds to W. */
  private static LowRank rescaled(Model model, String matrix, LowRank d, float[] magnitude) {
    double[] norms = RowNorms.changed(model, matrix, d.a(), d.b(), d.scale());
    float[] gain = new float[d.out()];
    float[] b = d.b().clone();
    for (int o = 0; o < gain.length; o++) {
      double factor = norms[o] == 0 ? 1 : magnitude[o] / norms[o];
      gain[o] = (float) (factor - 1);
      for (int k = 0; k < d.rank(); k++) {
        b[o * d.rank() + k] = (float) (factor * b[o * d.rank() + k]);
      }
    }
    return new LowRank(d.in(), d.out(), d.rank(), 1, d.a(), b, d.scale(), gain);
  }

  float scale() {
    return rankStabilised ? alpha / (float) Math.sqrt(rank) : alpha / rank;
  }

  private boolean matches(StoredTensor w) {
    return w.name().endsWith(WEIGHT)
        && w.shape().d1() > 1
        && w.shape().d3() == 1
        && (w.shape().d2() == 1 || w.name().contains("_exps")) // not a matrix of each head
        && !w.name().startsWith("token_embd")
        && targets.matcher(w.name()).find();
  }
}
