package io.gatun.tests.benchmarks;

import io.gatun.Gatun;
import io.gatun.LanguageModel;
import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.GenerateRequest;
import io.gatun.engine.GenerateRequest.Limits;
import io.gatun.engine.Generation;
import io.gatun.model.GraphSource;
import io.gatun.model.LoadOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Many clients at once: {@code MeasureLoad MODEL THREADS ROUNDS CLIENTS…}. Each client sends a
 * prompt of 64 tokens and reads 32; all begin at the same moment. The same engine runs once over
 * Gatun's graphs and once over libllama's decoding, so scheduling and sampling are the same: what
 * differs is how a step is computed. In turns in one process; medians of the rounds.
 */
public final class MeasureLoad {
  private static final int PROMPT = 64;
  private static final int TOKENS = 32;

  private final int vocabulary;

  private MeasureLoad(int vocabulary) {
    this.vocabulary = vocabulary;
  }

  /** What a round gave; times in milliseconds. */
  private record Round(double perSecond, double[] first, double[] between) {}

  public static void main(String[] args) throws InterruptedException {
    Path file = Path.of(args[0]);
    int rounds = Integer.parseInt(args[2]);
    EngineOptions options =
        EngineOptions.defaults().withContextTokens(8192).withThreads(Integer.parseInt(args[1]));
    LoadOptions own = LoadOptions.defaults().withGraphs(GraphSource.OWN);
    LoadOptions foreign = LoadOptions.defaults().withGraphs(GraphSource.LIBLLAMA);
    try (LanguageModel gatun = Gatun.load(file, own, options);
        LanguageModel llama = Gatun.load(file, foreign, options)) {
      MeasureLoad measure = new MeasureLoad(gatun.model().vocabularySize());
      System.out.println("clients | engine | tokens/s | first ms p50, p99 | between ms p50, p99");
      for (String clients : Arrays.copyOfRange(args, 3, args.length)) {
        measure.compare(gatun.engine(), llama.engine(), Integer.parseInt(clients), rounds);
      }
    }
  }

  private void compare(Engine gatun, Engine llama, int clients, int rounds)
      throws InterruptedException {
    List<Round> ours = new ArrayList<>();
    List<Round> theirs = new ArrayList<>();
    for (int round = 0; round < rounds; round++) {
      ours.add(round(gatun, clients, round));
      theirs.add(round(llama, clients, round));
    }
    print(clients, "gatun", ours);
    print(clients, "llama", theirs);
    System.out.printf("%d | ratio | %.2f%n", clients, speed(ours) / speed(theirs));
  }

  private Round round(Engine engine, int clients, int seed) throws InterruptedException {
    List<GenerateRequest> requests =
        IntStream.range(0, clients).mapToObj(i -> request(1000L * seed + i)).toList();
    double[] first = new double[clients];
    List<double[]> gaps = new ArrayList<>();
    long start = System.nanoTime();
    List<Generation> generations = engine.submitAll(requests);
    List<Thread> readers = new ArrayList<>();
    for (int i = 0; i < clients; i++) {
      double[] between = new double[TOKENS - 1];
      gaps.add(between);
      int client = i;
      readers.add(
          Thread.ofVirtual()
              .start(() -> first[client] = read(generations.get(client), start, between)));
    }
    for (Thread reader : readers) {
      reader.join();
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    double[] all = gaps.stream().flatMapToDouble(Arrays::stream).toArray();
    return new Round(clients * TOKENS / seconds, first, all);
  }

  /** Reads to the end; the time to the first token. */
  private static double read(Generation generation, long start, double[] between) {
    try {
      long before = start;
      double first = 0;
      for (int i = 0; generation.next().isPresent(); i++) {
        long now = System.nanoTime();
        if (i == 0) {
          first = (now - start) / 1e6;
        } else {
          between[i - 1] = (now - before) / 1e6;
        }
        before = now;
      }
      return first;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private GenerateRequest request(long seed) {
    int[] prompt = new SplittableRandom(seed).ints(PROMPT, 0, vocabulary).toArray();
    return GenerateRequest.of(prompt).withLimits(new Limits(TOKENS, true, Set.of()));
  }

  private static double speed(List<Round> rounds) {
    Series speeds = new Series();
    rounds.forEach(round -> speeds.add(round.perSecond()));
    return speeds.median();
  }

  private static void print(int clients, String name, List<Round> rounds) {
    Series first = new Series();
    Series between = new Series();
    for (Round round : rounds) {
      Arrays.stream(round.first()).forEach(first::add);
      Arrays.stream(round.between()).forEach(between::add);
    }
    System.out.printf(
        "%d | %s | %.1f | %.0f, %.0f | %.0f, %.0f%n",
        clients,
        name,
        speed(rounds),
        first.median(),
        first.quantile(0.99),
        between.median(),
        between.quantile(0.99));
  }
}
