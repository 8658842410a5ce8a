package io.gatun.adapters.training;

import io.gatun.model.Modifier;
import io.gatun.tensor.CompiledGraph;
import io.gatun.tensor.DType;
import io.gatun.tensor.Tensor;
import java.util.Optional;

/** A LoRA that is trained, in a graph: y + scale · B·(A·x) for each matrix that has one. */
final class LowRankChanges implements Modifier {
  private final Parameters.Forward forward;
  private final float scale;
  private final float dropout;
  private final Tensor key;

  LowRankChanges(Parameters.Forward forward, LoraParameters lora) {
    this.forward = forward;
    this.scale = lora.scale();
    this.dropout = forward.learning() ? lora.dropout() : 0;
    this.key = forward.graph().indices("dropout_key", DType.I32, Integer.MAX_VALUE, 2);
  }

  @Override
  public Tensor linear(String name, Tensor x, Tensor y) {
    Optional<Tensor> a = forward.find(name + LoraParameters.A);
    if (a.isEmpty()) {
      return y;
    }
    Tensor low = a.get().matMul(dropped(name, x)); // [r, T]
    return y.add(b(name).matMul(low).scale(scale));
  }

  /** The same with a pair of matrices for each expert. */
  @Override
  public Tensor experts(String name, Tensor x, Tensor ids, Tensor y) {
    Optional<Tensor> a = forward.find(name + LoraParameters.A);
    if (a.isEmpty()) {
      return y;
    }
    Tensor low = a.get().matMulId(dropped(name, x), ids); // [r, K, T]
    return y.add(b(name).matMulId(low, ids).scale(scale));
  }

  /** What a LoRA gets of x: another part of it for each matrix. */
  private Tensor dropped(String name, Tensor x) {
    return dropout == 0 ? x : x.dropout(dropout, name.hashCode(), key);
  }

  private Tensor b(String name) {
    return forward.find(name + LoraParameters.B).orElseThrow();
  }

  /**
   * Before a pass.
   *
   * @param random a number of this pass
   */
  void write(CompiledGraph target, long random) {
    if (target.graph().hasInput(key.name())) {
      int low = (int) ((random & 0xffffffffL) % Integer.MAX_VALUE);
      int high = (int) ((random >>> 32) % Integer.MAX_VALUE);
      target.write(key, new int[] {low, high});
    }
  }
}
