package io.gatun.tests.benchmarks;

import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.GenerateRequest;
import io.gatun.engine.LogitsObserver;
import io.gatun.model.KvSize;
import io.gatun.model.KvStore;
import io.gatun.model.KvTypes;
import io.gatun.model.LoadOptions;
import io.gatun.model.Model;
import io.gatun.tensor.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What types of the KV cache cost: {@code MeasureKvTypes MODEL TEXT [CHUNK]}. For each pair of
 * types the bytes of a token, and how far the model's predictions on a text are from those with
 * F16: the mean Kullback-Leibler divergence, and how often the best token is the same.
 */
public final class MeasureKvTypes {
  private static final int CHUNKS_MAX = 40;

  private MeasureKvTypes() {}

  public static void main(String[] args) throws IOException, InterruptedException {
    int chunk = args.length > 2 ? Integer.parseInt(args[2]) : 256;
    List<KvTypes> all = new ArrayList<>();
    all.add(KvTypes.of(DType.F32));
    all.add(KvTypes.of(DType.BF16));
    for (DType type : new DType[] {DType.Q8_0, DType.Q5_1, DType.Q4_0}) {
      all.add(KvTypes.of(type));
      all.add(KvTypes.of(type).withKeys(DType.F16));
      all.add(KvTypes.of(type).withValues(DType.F16));
      all.add(KvTypes.of(type).withOuterLayers(1));
    }
    all.add(KvTypes.of(DType.Q8_0).withValues(DType.Q4_0));
    System.out.println(
        "| keys | values | outer layers in F16 | bytes per token | KL | same best token |");
    System.out.println("|---|---|---:|---:|---:|---:|");
    try (Model model = Model.load(Path.of(args[0]), LoadOptions.defaults())) {
      int[] tokens = model.vocabulary().encode(Files.readString(Path.of(args[1])), false, false);
      List<float[]> exact = logits(model, KvTypes.F16, tokens, chunk);
      for (KvTypes types : all) {
        print(model, types, exact, logits(model, types, tokens, chunk));
      }
    }
  }

  private static void print(Model model, KvTypes types, List<float[]> exact, List<float[]> other) {
    double divergence = 0;
    int same = 0;
    for (int row = 0; row < exact.size(); row++) {
      double[] p = logProbabilities(exact.get(row));
      double[] q = logProbabilities(other.get(row));
      int bestP = 0;
      int bestQ = 0;
      for (int i = 0; i < p.length; i++) {
        divergence += Math.exp(p[i]) * (p[i] - q[i]);
        bestP = p[i] > p[bestP] ? i : bestP;
        bestQ = q[i] > q[bestQ] ? i : bestQ;
      }
      same += bestP == bestQ ? 1 : 0;
    }
    System.out.printf(
        Locale.ROOT,
        "| %s | %s | %d | %d | %.6f | %.2f %% |%n",
        types.keys(),
        types.values(),
        types.outerLayers(),
        KvStore.bytes(model.hyperparams(), KvSize.of(1), types),
        divergence / exact.size(),
        100.0 * same / exact.size());
  }

  private static List<float[]> logits(Model model, KvTypes types, int[] tokens, int chunk)
      throws InterruptedException {
    List<float[]> rows = new ArrayList<>();
    LogitsObserver observer =
        new LogitsObserver() {
          @Override
          public void observe(int position, float[] logits, int count) {
            rows.add(Arrays.copyOf(logits, count));
          }

          @Override
          public boolean everyRow() {
            return true;
          }
        };
    EngineOptions options = EngineOptions.defaults().withContextTokens(chunk).withKvTypes(types);
    try (Engine engine = Engine.open(model, options)) {
      int chunks = Math.min(CHUNKS_MAX, tokens.length / chunk);
      for (int i = 0; i < chunks; i++) {
        int[] part = Arrays.copyOfRange(tokens, i * chunk, (i + 1) * chunk);
        var _ =
            engine
                .submit(GenerateRequest.of(part).withMaxTokens(0).withObserver(observer))
                .finishReason();
      }
    }
    return rows;
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
