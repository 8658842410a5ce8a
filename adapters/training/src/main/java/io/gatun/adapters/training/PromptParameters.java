package io.gatun.adapters.training;

import io.gatun.model.Model;
import io.gatun.model.Modifier;
import io.gatun.model.adapter.SoftPrompt;
import io.gatun.tensor.CompiledGraph;
import io.gatun.tensor.DType;
import io.gatun.tensor.GraphBuilder;
import io.gatun.tensor.Shape;
import io.gatun.tensor.ShapeException;
import io.gatun.tensor.Tensor;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Function;

/**
 * Embeddings that come before every example (arXiv 2104.08691).
 *
 * @param rows P
 * @param begin what they begin with, [E, P]
 */
public record PromptParameters(int rows, float[] begin) implements Parameters {
  private static final String NAME = "soft_prompt";

  /** Begins with the embeddings of a text's tokens, again and again until there are enough. */
  public static PromptParameters ofText(Model model, int rows, int... tokens) {
    int width = model.hyperparams().embeddingLength();
    float[] table = WeightValues.read(model, "token_embd.weight");
    float[] begin = new float[rows * width];
    for (int i = 0; i < rows; i++) {
      System.arraycopy(table, tokens[i % tokens.length] * width, begin, i * width, width);
    }
    return new PromptParameters(rows, begin);
  }

  @Override
  public Map<String, Shape> shapes(Model model) {
    int width = model.hyperparams().embeddingLength();
    if (begin.length != rows * width) {
      throw new ShapeException(
          "a soft prompt of %d rows of %d begins with %d values"
              .formatted(rows, width, begin.length));
    }
    return Map.of(NAME, Shape.of(width, rows));
  }

  @Override
  public float[] initial(Model model, String name, Shape shape, SplittableRandom random) {
    return begin.clone();
  }

  @Override
  public int softRows() {
    return rows;
  }

  @Override
  public Changes changes(Forward forward) {
    GraphBuilder g = forward.graph();
    Tensor ids = g.indices("soft_ids", DType.I32, rows, forward.rows());
    Tensor share = g.input("soft_share", DType.F32, 1, forward.rows());
    Tensor keep = g.input("soft_keep", DType.F32, 1, forward.rows());
    Modifier inFront =
        new Modifier() {
          @Override
          public Tensor embedded(Tensor x) {
            Tensor soft = forward.find(NAME).orElseThrow().getRows(ids); // [E, T]
            return x.mul(keep).add(soft.mul(share));
          }
        };
    return new Changes(inFront, (target, batch, _) -> write(target, batch, ids, share, keep));
  }

  @Override
  public boolean decays(String name) {
    return false;
  }

  /** What the trained numbers are as an adapter. */
  public SoftPrompt adapter(Model model, String name, Function<String, float[]> values) {
    int width = model.hyperparams().embeddingLength();
    return new SoftPrompt(
        name, model.hyperparams().architecture(), rows, width, values.apply(NAME));
  }

  private static void write(
      CompiledGraph target, MiniBatch batch, Tensor ids, Tensor share, Tensor keep) {
    int[] row = new int[batch.rows()];
    float[] taken = new float[row.length];
    float[] left = new float[row.length];
    for (int t = 0; t < row.length; t++) {
      boolean soft = batch.soft()[t] >= 0;
      row[t] = soft ? batch.soft()[t] : 0;
      taken[t] = soft ? 1 : 0;
      left[t] = soft ? 0 : 1;
    }
    target.write(ids, row);
    target.write(share, taken);
    target.write(keep, left);
  }
}
