package io.gatun.model.adapter;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * Low-rank changes of some matrices of a model.
 *
 * @param deltas by the matrix' name without {@code .weight}, for example {@code blk.3.attn_q}
 * @param metadata further keys of its file, for people
 */
public record LoraAdapter(
    String name, String architecture, Map<String, LowRank> deltas, Map<String, String> metadata)
    implements Adapter {
  public LoraAdapter {
    if (deltas.isEmpty()) {
      throw new IllegalArgumentException(name + ": a LoRA adapter without matrices");
    }
    deltas = Collections.unmodifiableMap(new TreeMap<>(deltas));
    metadata = Map.copyOf(metadata);
  }

  /** The largest rank of its matrices. */
  public int rank() {
    return deltas.values().stream().mapToInt(LowRank::rank).max().orElseThrow();
  }

  @Override
  public long bytes() {
    return deltas.values().stream()
        .mapToLong(d -> 4L * (d.a().length + d.b().length + d.gain().length))
        .sum();
  }

  /** Whether it is a DoRA: rows of some matrices grow or shrink. */
  public boolean rescales() {
    return deltas.values().stream().anyMatch(LowRank::rescales);
  }

  @Override
  public boolean equals(Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }

  @Override
  public String toString() {
    return "%s: %s of rank %d on %d matrices"
        .formatted(name, rescales() ? "DoRA" : "LoRA", rank(), deltas.size());
  }
}
