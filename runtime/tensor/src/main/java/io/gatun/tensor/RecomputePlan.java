package io.gatun.tensor;

import java.util.ArrayList;
import java.util.List;

/**
 * Which values of the forward pass stay in memory for the backward pass, and which are computed
 * again from those when they are needed (gradient checkpointing). A second computation gives the
 * same bits, so that gradients do not depend on the plan.
 *
 * <p>Boundaries, given in the order of computation, cut the graph into segments; they are what
 * layers take as their input. What lies before the first or after the last boundary is always kept:
 * leave the last layer's output out and the last layer, whose values are needed at once, is not
 * computed twice; add it and logits and that layer do not share the peak of memory.
 *
 * @param boundaries kept, in the order of computation
 * @param products whether results of matrix products and attention are kept too
 * @source arXiv 1604.06174
 */
public record RecomputePlan(List<Tensor> boundaries, boolean products) {

  public RecomputePlan {
    boundaries = List.copyOf(boundaries);
    for (int i = 1; i < boundaries.size(); i++) {
      if (boundaries.get(i).index() <= boundaries.get(i - 1).index()) {
        throw new IllegalArgumentException(
            "boundaries must be in the order of computation: %s, %s"
                .formatted(boundaries.get(i - 1), boundaries.get(i)));
      }
    }
  }

  /** Everything is kept. */
  public static RecomputePlan none() {
    return new RecomputePlan(List.of(), false);
  }

  /** Only boundaries are kept: the memory of one layer at a time, and one more forward pass. */
  public static RecomputePlan everyBoundary(List<Tensor> boundaries) {
    return new RecomputePlan(boundaries, false);
  }

  /** Every √n-th of n boundaries is kept, and the last: least memory for very many layers. */
  public static RecomputePlan squareRoot(List<Tensor> boundaries) {
    int step = Math.max(1, (int) Math.round(Math.sqrt(boundaries.size())));
    List<Tensor> kept = new ArrayList<>();
    for (int i = 0; i < boundaries.size(); i += step) {
      kept.add(boundaries.get(i));
    }
    if (!boundaries.isEmpty() && kept.getLast() != boundaries.getLast()) {
      kept.add(boundaries.getLast());
    }
    return new RecomputePlan(kept, false);
  }

  /**
   * Boundaries, matrix products and attention are kept; norms, activations and sums are computed
   * again, which costs little time.
   *
   * @source arXiv 2205.05198
   */
  public static RecomputePlan selective(List<Tensor> boundaries) {
    return new RecomputePlan(boundaries, true);
  }
}
