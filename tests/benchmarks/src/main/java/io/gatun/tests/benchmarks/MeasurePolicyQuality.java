package io.gatun.tests.benchmarks;

import io.gatun.engine.ContextPolicy;
import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.GenerateRequest;
import io.gatun.engine.LogitsObserver;
import io.gatun.model.LoadOptions;
import io.gatun.model.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

/**
 * What context policies cost a model's predictions: {@code MeasurePolicyQuality MODEL TEXT LENGTH
 * CHUNKS [RECOMPUTED]}. Chunks of a text are read with 256 cells under each policy, and with as
 * many cells as a chunk has tokens. Rated are the tokens behind the 256th: perplexity, the mean
 * Kullback-Leibler divergence from the whole context's predictions, and how often the best token is
 * the same. With a fifth argument the last 256 tokens are also computed anew for each token.
 */
public final class MeasurePolicyQuality {
  private static final int CELLS = 256;

  private static final String[] POLICIES = {
    "shift:0", "shift:4", "sinks:0,256", "sinks:1,255", "sinks:4,252", "heavy:0,256", "heavy:4,252"
  };

  private MeasurePolicyQuality() {}

  public static void main(String[] args) throws IOException, InterruptedException {
    int length = Integer.parseInt(args[2]);
    int chunks = Integer.parseInt(args[3]);
    System.out.println("| policy | perplexity | KL | same best token |");
    System.out.println("|---|---:|---:|---:|");
    try (Model model = Model.load(Path.of(args[0]), LoadOptions.defaults())) {
      int[] all = model.vocabulary().encode(Files.readString(Path.of(args[1])), false, false);
      int[][] texts = new int[Math.min(chunks, all.length / (length - 1))][];
      for (int i = 0; i < texts.length; i++) {
        texts[i] = new int[length];
        texts[i][0] = model.vocabulary().beginToken().orElseThrow();
        System.arraycopy(all, i * (length - 1), texts[i], 1, length - 1);
      }
      float[][][] exact = read(model, length, texts, ContextPolicy.stop());
      print("all " + length + " tokens", exact, exact, texts);
      for (String name : POLICIES) {
        print(name, exact, read(model, CELLS, texts, ContextPolicy.named(name)), texts);
      }
      if (args.length > 4) {
        print("the last 256 computed anew", exact, anew(model, texts), texts);
      }
    }
  }

  /** Logits of each rated token of each text. */
  private static float[][][] read(Model model, int cells, int[][] texts, ContextPolicy policy) {
    float[][][] rows = new float[texts.length][][];
    EngineOptions options = EngineOptions.defaults().withContextTokens(cells).withThreads(1);
    try (Engine engine = Engine.open(model, options)) {
      for (int i = 0; i < texts.length; i++) {
        rows[i] = new float[texts[i].length - 1 - CELLS][];
        read(engine, texts[i], policy, CELLS, rows[i]);
      }
    }
    return rows;
  }

  private static float[][][] anew(Model model, int[][] texts) {
    float[][][] rows = new float[texts.length][][];
    EngineOptions options = EngineOptions.defaults().withContextTokens(CELLS).withThreads(1);
    try (Engine engine = Engine.open(model, options)) {
      for (int i = 0; i < texts.length; i++) {
        rows[i] = new float[texts[i].length - 1 - CELLS][];
        for (int row = 0; row < rows[i].length; row++) {
          int[] window = Arrays.copyOfRange(texts[i], row + 1, row + 1 + CELLS);
          float[][] last = new float[1][];
          read(engine, window, ContextPolicy.stop(), CELLS - 1, last);
          rows[i][row] = last[0];
        }
      }
    }
    return rows;
  }

  private static void read(
      Engine engine, int[] text, ContextPolicy policy, int first, float[][] rows) {
    LogitsObserver observer =
        new LogitsObserver() {
          @Override
          public void observe(int position, float[] logits, int count) {
            if (position >= first && position - first < rows.length) {
              rows[position - first] = Arrays.copyOf(logits, count);
            }
          }

          @Override
          public boolean everyRow() {
            return true;
          }
        };
    var _ =
        engine
            .submit(
                GenerateRequest.of(text)
                    .withMaxTokens(0)
                    .withObserver(observer)
                    .withContextPolicy(policy))
            .finishReason();
  }

  private static void print(String name, float[][][] exact, float[][][] other, int[][] texts) {
    double divergence = 0;
    double surprise = 0;
    int same = 0;
    int count = 0;
    for (int i = 0; i < texts.length; i++) {
      for (int row = 0; row < exact[i].length; row++) {
        double[] p = logProbabilities(exact[i][row]);
        double[] q = logProbabilities(other[i][row]);
        surprise -= q[texts[i][CELLS + row + 1]];
        for (int v = 0; v < p.length; v++) {
          divergence += Math.exp(p[v]) * (p[v] - q[v]);
        }
        same += best(p) == best(q) ? 1 : 0;
        count++;
      }
    }
    System.out.printf(
        Locale.ROOT,
        "| %s | %.3f | %.4f | %.1f %% |%n",
        name,
        Math.exp(surprise / count),
        divergence / count,
        100.0 * same / count);
  }

  private static int best(double[] values) {
    int best = 0;
    for (int i = 0; i < values.length; i++) {
      best = values[i] > values[best] ? i : best;
    }
    return best;
  }

  private static double[] logProbabilities(float[] logits) {
    double max = Float.NEGATIVE_INFINITY;
    for (float l : logits) {
      max = Math.max(max, l);
    }
    double sum = 0;
    for (float l : logits) {
      sum += Math.exp(l - max);
    }
    double norm = max + Math.log(sum);
    double[] p = new double[logits.length];
    for (int i = 0; i < p.length; i++) {
      p[i] = logits[i] - norm;
    }
    return p;
  }
}
