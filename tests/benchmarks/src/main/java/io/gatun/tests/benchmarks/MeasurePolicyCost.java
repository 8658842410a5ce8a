package io.gatun.tests.benchmarks;

import io.gatun.engine.ContextPolicy;
import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.GenerateRequest;
import io.gatun.engine.Generation;
import io.gatun.engine.KvSequence;
import io.gatun.model.LoadOptions;
import io.gatun.model.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * What context policies cost in time: {@code MeasurePolicyCost MODEL CONTEXT ROUNDS}. A sequence
 * that almost fills the context is kept in a file; each policy in turn goes on from there, and the
 * token at which it forgets is compared with those before it.
 */
public final class MeasurePolicyCost {
  private static final int LEFT = 24;

  private MeasurePolicyCost() {}

  public static void main(String[] args) throws IOException, InterruptedException {
    int context = Integer.parseInt(args[1]);
    int rounds = Integer.parseInt(args[2]);
    String[] policies = {"shift:4", "sinks:4", "heavy:4"};
    int[] apart = {(context - 4) / 2, (context - 4) / 8, (context - 4) / 8};
    EngineOptions options = EngineOptions.defaults().withContextTokens(context).withThreads(2);
    Path file = Files.createTempFile("policy", ".kv");
    try (Model model = Model.load(Path.of(args[0]), LoadOptions.defaults());
        Engine engine = Engine.open(model, options)) {
      int size = context - LEFT;
      int[] prompt = new SplittableRandom(1).ints(size + 1, 0, model.vocabularySize()).toArray();
      try (KvSequence sequence = engine.newSequence()) {
        sequence.append(Arrays.copyOf(prompt, size));
        sequence.save(file);
      }
      List<List<double[]>> times = new ArrayList<>();
      for (int i = 0; i < policies.length; i++) {
        times.add(new ArrayList<>());
      }
      for (int round = -1; round < rounds; round++) { // the first builds graphs
        for (int i = 0; i < policies.length; i++) {
          double[] one = run(engine, file, prompt, ContextPolicy.named(policies[i]));
          if (round >= 0) {
            times.get(i).add(one);
          }
        }
      }
      System.out.println(
          "| policy | ms per token | measured token | ms to forget | tokens between | ms per token"
              + " for it |");
      System.out.println("|---|---:|---:|---:|---:|---:|");
      for (int i = 0; i < policies.length; i++) {
        // Token j is chosen by the step that computes position size + j.
        double plain = median(times.get(i), j -> j > 0 && j < LEFT && (size + j) % 4 != 0);
        double measured = median(times.get(i), j -> j > 0 && j < LEFT && (size + j) % 4 == 0);
        double behind = median(times.get(i), j -> j > LEFT);
        // The token that makes it forget is one that is measured.
        double forget = median(times.get(i), j -> j == LEFT) - behind - (measured - plain);
        System.out.printf(
            Locale.ROOT,
            "| %s | %.1f | %.1f | %.1f | %d | %.3f |%n",
            policies[i],
            plain,
            measured,
            forget,
            apart[i],
            forget / apart[i]);
      }
    } finally {
      Files.delete(file);
    }
  }

  private static double median(List<double[]> rounds, IntPredicate which) {
    double[] all =
        rounds.stream()
            .flatMapToDouble(r -> IntStream.range(0, r.length).filter(which).mapToDouble(j -> r[j]))
            .sorted()
            .toArray();
    return all[all.length / 2];
  }

  /** Milliseconds of each token. */
  private static double[] run(Engine engine, Path file, int[] prompt, ContextPolicy policy)
      throws IOException, InterruptedException {
    double[] times = new double[LEFT + 8];
    try (KvSequence sequence = engine.restore(file);
        Generation generation =
            engine.submit(
                GenerateRequest.of(prompt)
                    .withLimits(new GenerateRequest.Limits(times.length, true, java.util.Set.of()))
                    .withKeep(sequence)
                    .withContextPolicy(policy))) {
      for (int i = 0; i < times.length; i++) {
        long start = System.nanoTime();
        var _ = generation.next();
        times[i] = (System.nanoTime() - start) / 1e6;
      }
    }
    return times;
  }
}
