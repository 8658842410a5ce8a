package io.gatun.tests.benchmarks;

import io.gatun.adapters.training.LoraParameters;
import io.gatun.model.Model;
import io.gatun.model.adapter.LoraAdapter;
import io.gatun.model.adapter.LowRank;
import io.gatun.tensor.StoredTensor;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;

/** LoRAs with random numbers, which F16 holds exactly, on all projections of a model. */
final class RandomLora {
  private RandomLora() {}

  static LoraAdapter of(Model model, int rank, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Map<String, LowRank> deltas = new TreeMap<>();
    for (StoredTensor w : model.weights().tensors()) {
      String name = w.name().replaceFirst("\\.weight$", "");
      if (LoraParameters.ALL_LINEAR.matcher(w.name()).find() && w.shape().d1() > 1) {
        int in = (int) w.shape().d0();
        int out = (int) w.shape().d1();
        float[] a = uniform(random, in * rank);
        float[] b = uniform(random, rank * out);
        deltas.put(name, new LowRank(in, out, rank, 1, a, b, 1));
      }
    }
    return new LoraAdapter("random-" + seed, model.hyperparams().architecture(), deltas, Map.of());
  }

  private static float[] uniform(SplittableRandom random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] =
          Float.float16ToFloat(Float.floatToFloat16((float) random.nextDouble(-0.02, 0.02)));
    }
    return values;
  }
}
