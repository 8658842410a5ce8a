package io.gatun.tests.benchmarks;

import io.gatun.Gatun;
import io.gatun.LanguageModel;
import io.gatun.engine.AdapterUse;
import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.GenerateRequest;
import io.gatun.engine.GenerateRequest.Limits;
import io.gatun.engine.Generation;
import io.gatun.model.LoadOptions;
import io.gatun.model.adapter.Adapter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * What adapters cost: {@code MeasureAdapters MODEL THREADS [ROUNDS]}. A batch of 8 sequences
 * without adapters, with 8 different ones of rank 16 on all projections, and the same 8 one after
 * another; then the first step after a swap against one without.
 */
public final class MeasureAdapters {
  private static final int SEQUENCES = 8;
  private static final int RANK = 16;
  private static final int TOKENS = 24;
  private static final int SWAPS = 200;

  private final Engine engine;
  private final List<Adapter> adapters;

  private MeasureAdapters(LanguageModel model) {
    engine = model.engine();
    adapters =
        IntStream.range(0, SEQUENCES)
            .<Adapter>mapToObj(seed -> RandomLora.of(model.model(), RANK, seed))
            .toList();
  }

  public static void main(String[] args) {
    EngineOptions running =
        EngineOptions.defaults().withContextTokens(1024).withThreads(Integer.parseInt(args[1]));
    int rounds = args.length > 2 ? Integer.parseInt(args[2]) : 7;
    try (LanguageModel model = Gatun.load(Path.of(args[0]), LoadOptions.defaults(), running)) {
      MeasureAdapters measure = new MeasureAdapters(model);
      measure.residence();
      measure.throughput(rounds);
      measure.swaps();
    }
  }

  /** Bringing them into memory: the bank grows by doubling, so some find a free slot. */
  private void residence() {
    Series millis = new Series();
    for (Adapter adapter : adapters) {
      long start = System.nanoTime();
      engine.preload(adapter);
      millis.add((System.nanoTime() - start) / 1e6);
    }
    System.out.printf("bringing one into memory: %s ms (median, least to most)%n", millis.spread());
  }

  private void throughput(int rounds) {
    Series without = new Series();
    Series with = new Series();
    Series alone = new Series();
    Series ratio = new Series();
    for (int round = -1; round < rounds; round++) {
      boolean adaptersFirst = round % 2 == 0;
      double a = adaptersFirst ? together(true) : together(false);
      double b = adaptersFirst ? together(false) : together(true);
      double oneByOne = oneAfterAnother();
      if (round >= 0) { // the first makes graphs
        without.add(adaptersFirst ? b : a);
        with.add(adaptersFirst ? a : b);
        alone.add(oneByOne);
        ratio.add(adaptersFirst ? a / b : b / a);
      }
    }
    System.out.printf(
        """
        | batch of %d | tokens/s | ratio |
        |---|---:|---:|
        | no adapters | %s | 1 |
        | %d adapters of rank %d | %s | %.3f |
        | the same one after another | %s | %.3f |
        """,
        SEQUENCES,
        without,
        SEQUENCES,
        RANK,
        with,
        ratio.median(),
        alone,
        alone.median() / without.median());
  }

  /** Tokens per second of all sequences in one batch. */
  private double together(boolean withAdapters) {
    long start = System.nanoTime();
    List<Generation> running = new ArrayList<>();
    for (int i = 0; i < SEQUENCES; i++) {
      running.add(engine.submit(withAdapters ? request(i, TOKENS, i) : request(i, TOKENS)));
    }
    running.forEach(Generation::finishReason);
    return SEQUENCES * TOKENS * 1e9 / (System.nanoTime() - start);
  }

  private double oneAfterAnother() {
    long start = System.nanoTime();
    for (int i = 0; i < SEQUENCES; i++) {
      var _ = engine.submit(request(i, TOKENS, i)).finishReason();
    }
    return SEQUENCES * TOKENS * 1e9 / (System.nanoTime() - start);
  }

  /** Steps of one row: another adapter than before, then twice the same again. */
  private void swaps() {
    Series added = new Series();
    Series call = new Series();
    Series same = new Series();
    Series noise = new Series();
    for (int i = -8; i < SWAPS; i++) {
      long start = System.nanoTime();
      GenerateRequest swapped = request(1, 1, Math.floorMod(i, SEQUENCES));
      long called = System.nanoTime() - start;
      double first = step(swapped);
      double again = step(request(1, 1, Math.floorMod(i, SEQUENCES)));
      double third = step(request(1, 1, Math.floorMod(i, SEQUENCES)));
      if (i >= 0) {
        call.add(called / 1e3);
        same.add(again);
        added.add(first - again);
        noise.add(third - again);
      }
    }
    System.out.printf(
        """
        a step without a swap: %.2f ms (median of %d)
        the first step after a swap, more than that: p50 %.2f ms, p99 %.2f ms
        another step without one, more than that: p50 %.2f ms, p99 %.2f ms
        the call: p50 %.1f µs, p99 %.1f µs
        """,
        same.median(),
        SWAPS,
        added.quantile(0.5),
        added.quantile(0.99),
        noise.quantile(0.5),
        noise.quantile(0.99),
        call.quantile(0.5),
        call.quantile(0.99));
  }

  private double step(GenerateRequest request) {
    long start = System.nanoTime();
    var _ = engine.submit(request).finishReason();
    return (System.nanoTime() - start) / 1e6;
  }

  private GenerateRequest request(int first, int tokens, int... acting) {
    return GenerateRequest.of(1000 + first)
        .withLimits(new Limits(tokens, true, Set.of()))
        .withAdapters(
            IntStream.of(acting).mapToObj(i -> new AdapterUse(adapters.get(i), 1)).toList());
  }
}
