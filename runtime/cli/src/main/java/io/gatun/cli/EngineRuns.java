package io.gatun.cli;

import io.gatun.cli.BenchCommand.Load;
import io.gatun.engine.Engine;
import io.gatun.engine.GenerateRequest;
import io.gatun.engine.GenerateRequest.Limits;
import io.gatun.engine.KvSequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/** Runs in Gatun's engine. What lies before the measured tokens is kept in prompt caches. */
final class EngineRuns implements BenchRuns {
  private final Engine engine;
  private final Load load;
  private final List<KvSequence> caches = new ArrayList<>();
  private int run;

  EngineRuns(Engine engine, Load load) {
    this.engine = engine;
    this.load = load;
    for (int sequence = 0; sequence < load.sequences(); sequence++) {
      caches.add(engine.newSequence());
      if (load.depth() > 0) {
        // One at a time: a sequence's cells lie together, as after conversations of their own.
        finish(List.of(request(sequence, 0, 0)));
      }
    }
  }

  @Override
  public long promptNanos(int tokens) {
    return timed(tokens, 0);
  }

  @Override
  public long generateNanos(int tokens) {
    return timed(1, tokens);
  }

  private long timed(int prompt, int generated) {
    run++;
    List<GenerateRequest> requests = new ArrayList<>();
    for (int sequence = 0; sequence < load.sequences(); sequence++) {
      requests.add(request(sequence, prompt, generated));
    }
    long start = System.nanoTime();
    finish(requests);
    return System.nanoTime() - start;
  }

  private GenerateRequest request(int sequence, int prompt, int generated) {
    int vocabulary = engine.model().vocabularySize();
    int[] before = load.before(sequence, vocabulary);
    int[] tokens = Arrays.copyOf(before, before.length + prompt);
    int[] measured = load.measured(sequence, run, prompt, vocabulary);
    System.arraycopy(measured, 0, tokens, before.length, prompt);
    return GenerateRequest.of(tokens)
        .withKeep(caches.get(sequence))
        .withLimits(new Limits(generated, true, Set.of()));
  }

  private void finish(List<GenerateRequest> requests) {
    engine
        .submitAll(requests)
        .forEach(generation -> {
          var _ = generation.finishReason();
        });
  }

  @Override
  public void close() {
    caches.forEach(KvSequence::close);
  }
}
