package io.gatun.engine.sample;

import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * Chooses tokens for one sequence as its settings say. Deterministic: equal settings, logits and
 * history give equal tokens, on every machine.
 *
 * <p>Not thread-safe; the working space may be shared by samplers of one thread.
 */
public final class Sampler {
  private final SamplerSettings settings;
  private final RandomGenerator random;
  private final Logits row;

  /** Mirostat's bound on surprise, in bits. */
  private float mu;

  /**
   * @param row working space
   */
  public Sampler(SamplerSettings settings, Logits row) {
    this.settings = settings;
    this.random = new SplittableRandom(settings.seed());
    this.row = row;
    this.mu = settings.choice() instanceof Choice.Mirostat(float tau, float _) ? 2 * tau : 0;
  }

  /**
   * Chooses from one row of logits.
   *
   * @param logits [V], not changed
   * @throws IllegalStateException when every logit is NaN or −∞
   */
  public int sample(float[] logits, int count, TokenHistory history) {
    var _ = row.reset(logits, count);
    return choose(history);
  }

  /**
   * {@link #sample(float[], int, TokenHistory)} among some tokens.
   *
   * @param allowed one bit for each token
   * @throws IllegalStateException also when none is allowed
   */
  public int sample(float[] logits, int count, TokenHistory history, long[] allowed) {
    row.reset(logits, count).keepAllowed(allowed);
    return choose(history);
  }

  private int choose(TokenHistory history) {
    for (LogitsProcessor processor : settings.processors()) {
      processor.apply(row, history, random);
    }
    return switch (settings.choice()) {
      case Choice.Greedy _ -> row.id(finite(row.argMax()));
      case Choice.Draw _ -> row.id(draw());
      case Choice.Mirostat m -> mirostat(m);
    };
  }

  private int finite(int place) {
    float value = row.value(place);
    if (Float.isNaN(value) || value == Float.NEGATIVE_INFINITY) {
      throw new IllegalStateException(
          "no token can be chosen: every logit is NaN or minus infinity; are the weights damaged?");
    }
    return place;
  }

  private int draw() {
    float max = row.max();
    double wanted = random.nextDouble() * row.mass();
    double sum = 0;
    int last = -1;
    for (int i = 0; i < row.size(); i++) {
      double p = Math.exp(row.value(i) - max);
      if (p > 0) {
        last = i;
        sum += p;
        if (sum > wanted) {
          return i;
        }
      }
    }
    return finite(Math.max(0, last));
  }

  private int mirostat(Choice.Mirostat m) {
    row.sort(row.size());
    double logMass = row.max() + Math.log(row.mass());
    int kept = 0;
    while (kept < row.size() && bits(logMass - row.value(kept)) <= mu) {
      kept++;
    }
    row.keepFirst(kept);
    int chosen = draw();
    double after = row.max() + Math.log(row.mass());
    mu -= m.eta() * ((float) bits(after - row.value(chosen)) - m.tau());
    return row.id(chosen);
  }

  private static double bits(double nats) {
    return nats / Math.log(2);
  }
}
