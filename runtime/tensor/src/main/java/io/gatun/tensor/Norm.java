package io.gatun.tensor;

import io.gatun.tensor.Op.BinaryKind;
import java.util.Optional;

/**
 * A norm with its gain, x / √(mean(x²) + ε) · gain, that another node can compute on the way.
 *
 * @param gain F32, as long as the rows of x
 */
record Norm(Tensor x, StoredTensor gain, float epsilon) {

  /** The norm whose gain a node multiplies, if nothing else reads it without. */
  static Optional<Norm> of(Tensor product, Readers readers) {
    if (!(product.op() instanceof Op.Binary(BinaryKind kind)) || kind != BinaryKind.MUL) {
      return Optional.empty();
    }
    Tensor norm = product.operands().get(0);
    Tensor gain = product.operands().get(1);
    return norm.op() instanceof Op.RmsNorm(float epsilon)
            && gain.op() instanceof Op.Stored(StoredTensor stored)
            && gain.type() == DType.F32
            && gain.shape().equals(Shape.of(product.shape().d0()))
            && readers.single(norm)
            && Readers.stays(norm.operands().getFirst())
        ? Optional.of(new Norm(norm.operands().getFirst(), stored, epsilon))
        : Optional.empty();
  }
}
