package io.gatun.tensor;

import io.gatun.bindings.ggml.GatunKernels;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Pairs of tokens and experts, sorted by expert: once for all products with the same ids. */
final class ExpertRoutes {
  /** Which of so many experts each token uses. */
  record Experts(Tensor ids, long count) {
    static Experts of(Tensor product) {
      return new Experts(product.operands().get(2), product.operands().getFirst().shape().d2());
    }

    long pairs() {
      return ids.shape().elements();
    }
  }

  private final CustomNodes custom;
  private final MemorySegment[] lowered;
  private final Map<Experts, MemorySegment> routes = new HashMap<>();

  /**
   * @param lowered the GGML tensors of nodes that were emitted, by {@link Tensor#index()}
   */
  ExpertRoutes(CustomNodes custom, MemorySegment[] lowered) {
    this.custom = custom;
    this.lowered = lowered;
  }

  MemorySegment of(Experts experts) {
    return routes.computeIfAbsent(experts, this::sort);
  }

  private MemorySegment sort(Experts experts) {
    return custom.bytes(
        GatunKernels.gatun_route_bytes(experts.count(), experts.pairs()),
        GatunKernels.gatun_route$address(),
        CustomNodes.number(experts.count()),
        List.of(lowered[experts.ids().index()]));
  }
}
