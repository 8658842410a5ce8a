package io.gatun.adapters.training;

import io.gatun.model.Modifier;
import io.gatun.tensor.CompiledGraph;
import io.gatun.tensor.DType;
import io.gatun.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A LoRA that is trained, in a graph: y + scale · B·(A·x) for each matrix that has one. As a DoRA,
 * that times m / ‖W + scale · B·A‖ of each row.
 *
 * <p>The lengths take part in the gradient as they are; the paper (section 4.3) and PEFT take them
 * for constants, to save memory that is not needed here: they come from products of rank r.
 */
final class LowRankChanges implements Modifier {
  /** Keeps a row of zeros from a division by 0. */
  private static final float NORM_MIN = 1e-20f;

  private final Parameters.Forward forward;
  private final float scale;
  private final float dropout;
  private final Tensor key;
  private final Map<Tensor, float[]> squares = new LinkedHashMap<>();

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
    Tensor sum = y.add(b(name).matMul(low).scale(scale));
    return forward
        .find(name + LoraParameters.MAGNITUDE)
        .map(m -> sum.mul(m.div(norms(name, a.get()))))
        .orElse(sum);
  }

  /**
   * ‖W + s·B·A‖ of each row, [out], from ‖W‖² + 2s·B·(A·W) + s²·B·(A·A)·B without the sum itself.
   */
  private Tensor norms(String name, Tensor a) {
    Tensor b = b(name);
    Tensor w = forward.weight(name + ".weight");
    long out = b.shape().d1();
    Tensor rows = b.transpose().dense(); // [out, r]
    Tensor withW = w.matMul(a).scale(2 * scale); // [out, r]
    Tensor withA = b.matMul(a.matMul(a)).scale(scale * scale); // [out, r]
    Tensor change = rows.mul(withW.add(withA)).sumTo(out, 1).reshape(out);
    Tensor own = forward.graph().input("norms." + name, DType.F32, out);
    squares.put(own, RowNorms.squares(forward.model(), name));
    return change.add(own).clamp(NORM_MIN, Float.POSITIVE_INFINITY).sqrt();
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
    squares.forEach(target::write);
    if (target.graph().hasInput(key.name())) {
      int low = (int) ((random & 0xffffffffL) % Integer.MAX_VALUE);
      int high = (int) ((random >>> 32) % Integer.MAX_VALUE);
      target.write(key, new int[] {low, high});
    }
  }
}
