package io.gatun.adapters.training;

import io.gatun.model.Modifier;
import io.gatun.tensor.Tensor;
import java.util.Optional;

/** A LoRA that is trained, in a graph: y + scale · B·(A·x) for each matrix that has one. */
final class LowRankChanges implements Modifier {
  private final Parameters.Forward forward;
  private final float scale;

  LowRankChanges(Parameters.Forward forward, float scale) {
    this.forward = forward;
    this.scale = scale;
  }

  @Override
  public Tensor linear(String name, Tensor x, Tensor y) {
    Optional<Tensor> a = forward.find(name + LoraParameters.A);
    if (a.isEmpty()) {
      return y;
    }
    Tensor low = a.get().matMul(x); // [r, T]
    return y.add(b(name).matMul(low).scale(scale));
  }

  /** The same with a pair of matrices for each expert. */
  @Override
  public Tensor experts(String name, Tensor x, Tensor ids, Tensor y) {
    Optional<Tensor> a = forward.find(name + LoraParameters.A);
    if (a.isEmpty()) {
      return y;
    }
    Tensor low = a.get().matMulId(x, ids); // [r, K, T]
    return y.add(b(name).matMulId(low, ids).scale(scale));
  }

  private Tensor b(String name) {
    return forward.find(name + LoraParameters.B).orElseThrow();
  }
}
