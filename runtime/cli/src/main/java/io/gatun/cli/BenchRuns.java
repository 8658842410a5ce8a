package io.gatun.cli;

import io.gatun.engine.Engine;
import io.gatun.engine.GenerateRequest;
import io.gatun.engine.GenerateRequest.Limits;
import io.gatun.tensor.llama.LlamaContext;
import java.util.Arrays;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.IntUnaryOperator;

/** One run of a test, by Gatun or by libllama: the same rows and the same greedy choice. */
final class BenchRuns {
  private final IntUnaryOperator promptNanos;
  private final IntUnaryOperator generateNanos;

  private BenchRuns(IntUnaryOperator prompt, IntUnaryOperator generate) {
    this.promptNanos = prompt;
    this.generateNanos = generate;
  }

  /** Runs in Gatun's engine. */
  static BenchRuns of(Engine engine) {
    int vocabulary = engine.model().vocabularySize();
    return new BenchRuns(
        count -> timed(() -> finish(engine, GenerateRequest.of(random(count, vocabulary)), 0)),
        count -> timed(() -> finish(engine, GenerateRequest.of(random(1, vocabulary)), count)));
  }

  /** Runs in libllama. */
  static BenchRuns of(LlamaContext context, int batchRows, int vocabulary) {
    return new BenchRuns(
        count ->
            paused(context, timed(() -> prefill(context, random(count, vocabulary), batchRows))),
        count -> paused(context, timed(() -> decode(context, random(1, vocabulary)[0], count))));
  }

  /** Tokens per second of test {@code pp} or {@code tg}. */
  double run(String kind, int tokens) {
    int micros = (kind.equals("pp") ? promptNanos : generateNanos).applyAsInt(tokens);
    return tokens * 1e6 / micros;
  }

  private static int timed(Runnable work) {
    long start = System.nanoTime();
    work.run();
    return (int) Math.max(1, (System.nanoTime() - start) / 1000);
  }

  /** Its threads would spin on for a while, in the way of the next run. */
  private static int paused(LlamaContext context, int micros) {
    context.pause();
    return micros;
  }

  private static void finish(Engine engine, GenerateRequest request, int tokens) {
    var _ = engine.submit(request.withLimits(new Limits(tokens, true, Set.of()))).finishReason();
  }

  private static void prefill(LlamaContext context, int[] tokens, int batchRows) {
    context.clear();
    for (int start = 0; start < tokens.length; start += batchRows) {
      int end = Math.min(tokens.length, start + batchRows);
      boolean[] wanted = new boolean[end - start];
      wanted[end - start - 1] = true;
      int[] positions = new int[end - start];
      int first = start;
      Arrays.setAll(positions, i -> first + i);
      context.decode(
          Arrays.copyOfRange(tokens, start, end), positions, new int[end - start], wanted);
    }
  }

  private static void decode(LlamaContext context, int first, int count) {
    context.clear();
    int token = first;
    for (int position = 0; position < count; position++) {
      context.decode(new int[] {token}, new int[] {position}, new int[] {0}, new boolean[] {true});
      token = context.best(0);
    }
  }

  private static int[] random(int count, int vocabulary) {
    return new SplittableRandom(7).ints(count, 0, vocabulary).toArray();
  }
}
