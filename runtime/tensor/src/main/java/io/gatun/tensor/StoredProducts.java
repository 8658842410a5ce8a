package io.gatun.tensor;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Gradients of weights that are computed right into the stored tensor which shall hold or sum them:
 * a {@link Op.Blend} of a {@link Op.MatMulWeight} that nothing else uses, or a sum of an {@link
 * Op.ExpertsWeight}. The gradient needs no memory of its own then, which for all parameters
 * together is as much as the parameters.
 */
final class StoredProducts {
  private final Map<Tensor, Tensor> blends = new HashMap<>();
  private final Set<Tensor> done = new HashSet<>();

  StoredProducts(Graph graph) {
    Map<Tensor, Integer> uses = new HashMap<>();
    Map<Tensor, Integer> lastRead = new HashMap<>();
    graph.outputs().forEach(output -> uses.merge(output, 1, Integer::sum));
    for (Tensor node : graph.nodes()) {
      for (Tensor operand : node.operands()) {
        uses.merge(operand, 1, Integer::sum);
      }
      if (node.op() instanceof Op.Blend(float keep, float gain)
          && gain == 1f
          && (keep == 0f || keep == 1f)) {
        Tensor stored = node.operands().get(0);
        Tensor gradient = node.operands().get(1);
        // What reads the stored tensor in between must still see what it held before.
        boolean product =
            gradient.op() instanceof Op.MatMulWeight
                || (gradient.op() instanceof Op.ExpertsWeight && keep == 1f);
        if (product && lastRead.getOrDefault(stored, -1) < gradient.index()) {
          blends.put(gradient, node);
        }
      }
      node.operands().forEach(operand -> lastRead.put(operand, node.index()));
    }
    blends.keySet().removeIf(gradient -> uses.getOrDefault(gradient, 0) != 1);
    done.addAll(blends.values());
  }

  /** The blend that a product of gradients is computed for. */
  Optional<Tensor> blendOf(Tensor product) {
    return Optional.ofNullable(blends.get(product));
  }

  /** Whether a blend happened with its product. */
  boolean done(Tensor blend) {
    return done.contains(blend);
  }
}
