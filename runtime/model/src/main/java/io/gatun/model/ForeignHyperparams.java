package io.gatun.model;

import io.gatun.model.gguf.GgufMetadata;
import io.gatun.tensor.RopeParameters;
import java.util.Arrays;

/**
 * The numbers of a model that only libllama computes: what planning memory and checking requests
 * needs, with averages for what differs between layers. What libllama computes it reads itself.
 */
final class ForeignHyperparams {
  private ForeignHyperparams() {}

  static Hyperparams read(GgufMetadata meta) {
    Hyperparams.Keys k = new Hyperparams.Keys(meta);
    int embedding = bounded(meta, "embedding_length", 1, 1 << 20);
    int layers = bounded(meta, "block_count", 1, 1024);
    int context = bounded(meta, "context_length", 1, Integer.MAX_VALUE);
    long[] heads = values(meta, "attention.head_count", 0);
    long[] kvHeads = values(meta, "attention.head_count_kv", average(heads));
    boolean attends = average(heads) > 0 && average(kvHeads) > 0;
    int kv = attends ? average(kvHeads) : 1;
    int each = attends ? Math.max(2, embedding / average(heads)) : 2;
    return new Hyperparams(
        k.architecture(),
        embedding,
        layers,
        kv * Math.max(1, average(heads) / kv),
        kv,
        attends ? average(values(meta, "attention.key_length", each)) : each,
        attends ? average(values(meta, "attention.value_length", each)) : each,
        context,
        0f,
        0,
        0,
        0,
        new RopeParameters(2, false, context, 10000f, 1f, 0f, 1f, 32f, 1f),
        meta);
  }

  private static int bounded(GgufMetadata meta, String key, int low, int high) {
    String full = meta.text("general.architecture").orElse("") + "." + key;
    long[] all = meta.integers(full).orElseThrow(() -> meta.missing(full));
    long value = Arrays.stream(all).max().orElse(-1);
    if (value < low || value > high) {
      throw new ModelFormatException(
          "%s: %s is %d, expected %d to %d".formatted(meta.file(), full, value, low, high));
    }
    return (int) value;
  }

  private static long[] values(GgufMetadata meta, String key, int otherwise) {
    return meta.integers(meta.text("general.architecture").orElse("") + "." + key)
        .orElseGet(() -> new long[] {otherwise});
  }

  /** Rounded up; 0 for none or nonsense, which libllama will refuse. */
  private static int average(long[] values) {
    double average = Arrays.stream(values).average().orElse(0);
    return average > 0 && average <= 1 << 14 ? (int) Math.ceil(average) : 0;
  }
}
