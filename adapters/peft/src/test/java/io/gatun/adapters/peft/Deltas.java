package io.gatun.adapters.peft;

import io.gatun.model.adapter.Adapter;
import io.gatun.model.adapter.LoraAdapter;
import io.gatun.model.adapter.LowRank;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;

/** Random LoRAs, and their changes written out in doubles. */
final class Deltas {
  private Deltas() {}

  static LowRank random(int in, int out, int rank, int experts, float scale, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    return new LowRank(
        in,
        out,
        rank,
        experts,
        values(random, in * rank * experts),
        values(random, rank * out * experts),
        scale);
  }

  static float[] values(SplittableRandom random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextDouble(-1, 1);
    }
    return values;
  }

  static LoraAdapter lora(String name, String matrix, LowRank delta) {
    return new LoraAdapter(name, "llama", Map.of(matrix, delta), Map.of());
  }

  static LowRank only(Adapter adapter) {
    return ((LoraAdapter) adapter).deltas().values().iterator().next();
  }

  static <V> V get(Map<String, V> map, String key) {
    return Objects.requireNonNull(map.get(key), key);
  }

  /** Δ[expert][out][in]. */
  static double[][][] dense(LowRank d) {
    double[][][] all = new double[d.experts()][d.out()][d.in()];
    for (int x = 0; x < d.experts(); x++) {
      for (int o = 0; o < d.out(); o++) {
        for (int i = 0; i < d.in(); i++) {
          double sum = 0;
          for (int k = 0; k < d.rank(); k++) {
            sum +=
                (double) d.b()[(x * d.out() + o) * d.rank() + k]
                    * d.a()[(x * d.rank() + k) * d.in() + i];
          }
          all[x][o][i] = d.scale() * sum;
        }
      }
    }
    return all;
  }

  /** Σ factor · Δ. */
  static double[][][] sum(double one, LowRank first, double other, LowRank second) {
    double[][][] x = dense(first);
    double[][][] y = dense(second);
    for (int e = 0; e < x.length; e++) {
      for (int o = 0; o < x[e].length; o++) {
        for (int i = 0; i < x[e][o].length; i++) {
          x[e][o][i] = one * x[e][o][i] + other * y[e][o][i];
        }
      }
    }
    return x;
  }

  static double farthest(double[][][] x, double[][][] y) {
    double most = 0;
    for (int e = 0; e < x.length; e++) {
      for (int o = 0; o < x[e].length; o++) {
        for (int i = 0; i < x[e][o].length; i++) {
          most = Math.max(most, Math.abs(x[e][o][i] - y[e][o][i]));
        }
      }
    }
    return most;
  }
}
