package io.gatun.model.arch;

import io.gatun.model.Hyperparams;
import io.gatun.model.LayerScope;
import io.gatun.model.ModelFormatException;
import io.gatun.tensor.Shape;
import io.gatun.tensor.Tensor;
import java.util.Optional;

/**
 * Experts in groups, of which each token may use those of a few alone: the ones whose two best
 * experts have the largest sum.
 *
 * @param count how many groups, from {@code expert_group_count}
 * @param used how many of them a token may use, from {@code expert_group_used_count}
 * @param size experts of a group
 * @source arXiv 2412.19437, section 2.1.2; order of operations as llama.cpp v0.4.0, {@code
 *     build_moe_ffn}
 */
record ExpertGroups(int count, int used, int size) {
  /** How many experts stand for their group. */
  private static final int BEST = 2;

  /** Makes any difference of scores larger than the scores themselves. */
  private static final float STEEP = 1e38f;

  /** Far below every score. */
  private static final float CLOSED = 1e30f;

  /** The groups that a file asks for, if any. */
  static Optional<ExpertGroups> of(LayerScope s) {
    Hyperparams h = s.h();
    int count = h.keys().integer("expert_group_count", 0);
    if (count <= 1) {
      return Optional.empty();
    }
    int used = h.keys().integer("expert_group_used_count", 0);
    int size = h.expertCount() / count;
    if (size * count != h.expertCount()
        || size < BEST
        || used < 1
        || used > count
        || (long) used * size < h.expertsPerToken()) {
      throw new ModelFormatException(
          "%s: %d experts (expert_count) in %d groups (expert_group_count), %d of them for a token (expert_group_used_count): expected equal groups of %d or more, with %d experts (expert_used_count) in those of a token"
              .formatted(
                  h.metadata().file(), h.expertCount(), count, used, BEST, h.expertsPerToken()));
    }
    return Optional.of(new ExpertGroups(count, used, size));
  }

  /** Scores [X, T] with those of other groups far below all: [X, T]. */
  Tensor within(Tensor scores) {
    long rows = scores.shape().d1();
    Tensor grouped = scores.reshape(size, count, rows); // [size, groups, T]
    Tensor best = grouped.topK(BEST); // [2, groups, T]
    Tensor sums =
        grouped
            .reshape(1, size, count, rows)
            .getRows(best)
            .reshape(BEST, count, rows)
            .sumRows()
            .reshape(count, rows);
    Tensor order = sums.argSort();
    Tensor last = order.view(Shape.of(1, rows), (used - 1L) * order.type().blockBytes());
    Tensor least = sums.reshape(1, count, rows).getRows(last); // [1, 1, T]
    // 0 for groups that reach the least sum of those in use.
    Tensor behind = sums.reshape(1, count, rows).sub(least).scale(-STEEP).clamp(0, CLOSED);
    return grouped.sub(behind).reshape(size * (long) count, rows);
  }
}
