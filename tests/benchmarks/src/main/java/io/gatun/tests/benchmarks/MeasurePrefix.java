package io.gatun.tests.benchmarks;

import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.GenerateRequest;
import io.gatun.engine.Generation;
import io.gatun.engine.KvSequence;
import io.gatun.engine.PrefixCacheOptions;
import io.gatun.model.LoadOptions;
import io.gatun.model.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * What a cached beginning saves: {@code MeasurePrefix MODEL [TOKENS [NEW]]}. Time to the first
 * token of a prompt that is computed whole and of one whose beginning is cached, in turns; what a
 * fork, a save and a restore cost.
 */
public final class MeasurePrefix {
  private static final int TURNS = 5;

  private MeasurePrefix() {}

  public static void main(String[] args) throws IOException {
    int count = args.length > 1 ? Integer.parseInt(args[1]) : 1000;
    int fresh = args.length > 2 ? Integer.parseInt(args[2]) : 1;
    EngineOptions options =
        EngineOptions.defaults()
            .withThreads(2)
            .withContextTokens(2 * count + 256)
            .withPrefixCache(PrefixCacheOptions.all());
    try (Model model = Model.load(Path.of(args[0]), LoadOptions.defaults());
        Engine engine = Engine.open(model, options)) {
      SplittableRandom random = new SplittableRandom(1);
      int[] prompt = random.ints(count + fresh, 0, model.vocabularySize()).toArray();
      double[] cold = new double[TURNS];
      double[] cached = new double[TURNS];
      firstToken(engine, Arrays.copyOf(prompt, 64));
      for (int turn = 0; turn < TURNS; turn++) {
        engine.forgetPrefixes();
        cold[turn] = firstToken(engine, prompt);
        int[] other = prompt.clone();
        for (int i = count; i < other.length; i++) {
          other[i] = random.nextInt(model.vocabularySize());
        }
        cached[turn] = firstToken(engine, other);
      }
      System.out.printf(
          "first token of %d + %d: whole %.1f ms, with %d cached %.1f ms: %.2f %%%n",
          count, fresh, median(cold), count, median(cached), 100 * median(cached) / median(cold));
      forks(engine, Arrays.copyOf(prompt, count));
    }
  }

  private static void forks(Engine engine, int[] tokens) throws IOException {
    Path file = Files.createTempFile("gatun-", ".kv");
    try (KvSequence sequence = engine.newSequence()) {
      sequence.append(tokens);
      double[] fork = new double[TURNS * 20];
      for (int i = 0; i < fork.length; i++) {
        long start = System.nanoTime();
        KvSequence copy = sequence.fork();
        fork[i] = millis(start);
        copy.close();
      }
      long start = System.nanoTime();
      sequence.save(file);
      double save = millis(start);
      start = System.nanoTime();
      engine.restore(file).close();
      double restore = millis(start);
      start = System.nanoTime();
      sequence.remove(16, tokens.length / 2);
      System.out.printf(
          "fork %.3f ms, save %.0f ms (%d bytes), restore %.0f ms, remove half %.1f ms%n",
          median(fork), save, Files.size(file), restore, millis(start));
    } finally {
      Files.deleteIfExists(file);
    }
  }

  private static double firstToken(Engine engine, int[] prompt) {
    long start = System.nanoTime();
    Generation generation = engine.submit(GenerateRequest.of(prompt).withMaxTokens(1));
    var _ = generation.finishReason();
    return millis(start);
  }

  private static double millis(long start) {
    return (System.nanoTime() - start) / 1e6;
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
