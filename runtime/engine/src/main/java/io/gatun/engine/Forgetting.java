package io.gatun.engine;

import java.util.BitSet;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * Lets sequences forget by their {@link ContextPolicy} before a step: those that have no room for
 * another token, and when all cells are taken those that have more than their share of them.
 *
 * @owner the engine's thread
 */
final class Forgetting {
  private final Scheduler scheduler;
  private final KvMemory memory;
  private final Consumer<Sequence> onFull;
  private final BiConsumer<Sequence, RuntimeException> onFailure;

  /**
   * @param onFull ends a sequence whose policy found nothing to forget
   */
  Forgetting(
      Scheduler scheduler,
      KvMemory memory,
      Consumer<Sequence> onFull,
      BiConsumer<Sequence, RuntimeException> onFailure) {
    this.scheduler = scheduler;
    this.memory = memory;
    this.onFull = onFull;
    this.onFailure = onFailure;
  }

  void beforeStep(int batchRows) {
    for (Sequence sequence : scheduler.all()) {
      if (sequence.forgets() && sequence.room() < 1) {
        forget(sequence, sequence.limit());
        if (!sequence.generation().done() && sequence.room() < 1) {
          onFull.accept(sequence);
        }
      }
    }
    int share = scheduler.share(batchRows);
    for (Sequence sequence : scheduler.running()) {
      if (sequence.forgets() && sequence.cells().size() > share) {
        forget(sequence, share);
      }
    }
  }

  private void forget(Sequence sequence, int most) {
    try {
      int before = sequence.rowsBefore();
      int tokens = sequence.cells().size() - before;
      if (tokens > 0) {
        ContextPolicy policy = sequence.request().policy();
        BitSet gone =
            policy.forget(
                new ContextPolicy.Past(tokens, most - before, weights(sequence, before, tokens)));
        if (gone.length() > tokens) {
          throw new IllegalArgumentException(
              "%s forgets token %d, but only %d are computed"
                  .formatted(policy, gone.length() - 1, tokens));
        }
        forget(sequence, moved(gone, before));
      }
    } catch (RuntimeException e) {
      onFailure.accept(sequence, e);
    }
  }

  private static float[] weights(Sequence sequence, int before, int tokens) {
    return sequence.tally().map(t -> t.of(before, before + tokens)).orElseGet(() -> new float[0]);
  }

  /**
   * Without cells for copies of what others share, what is behind the first forgotten token is
   * computed again.
   */
  private void forget(Sequence sequence, BitSet rows) {
    if (rows.isEmpty()) {
      return;
    }
    if (!memory.forget(sequence.cells(), rows)) {
      sequence.cells().truncate(rows.nextSetBit(0));
    }
    sequence.forget(rows);
  }

  private static BitSet moved(BitSet bits, int by) {
    BitSet moved = new BitSet(bits.length() + by);
    bits.stream().forEach(bit -> moved.set(bit + by));
    return moved;
  }
}
