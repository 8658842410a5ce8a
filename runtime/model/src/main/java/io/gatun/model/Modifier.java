package io.gatun.model;

import io.gatun.tensor.Tensor;
import java.util.Optional;

/**
 * Changes a graph while it is built, without the architecture knowing: adapters, masks, steering.
 * Each method gets what the model computes and returns what shall be used instead; rows are those
 * of the pass, or on the last layer only the ones whose logits are wanted.
 */
public interface Modifier {
  /** Leaves everything as it is. */
  Modifier NONE = new Modifier() {};

  /**
   * A product with one matrix, before its bias.
   *
   * @param name of the matrix without {@code .weight}, for example {@code blk.3.attn_q}
   * @shape x [in, T], y [out, T] → [out, T]
   */
  default Tensor linear(String name, Tensor x, Tensor y) {
    return y;
  }

  /**
   * A product with expert matrices, before their bias.
   *
   * @shape x [in, K or 1, T], ids [K, T], y [out, K, T] → [out, K, T]
   */
  default Tensor experts(String name, Tensor x, Tensor ids, Tensor y) {
    return y;
  }

  /**
   * Is told how a layer chooses experts, and changes nothing.
   *
   * @shape scores [X, T] before any softmax, ids I32 [K, T]
   */
  default void routed(Tensor scores, Tensor ids) {}

  /**
   * Keys and values that all rows of a pass without a cache see in a layer, before their own; as
   * many as its masks have columns more than rows.
   */
  default Optional<KeysValues> before(int layer) {
    return Optional.empty();
  }

  /** The hidden state before the first layer. */
  default Tensor embedded(Tensor x) {
    return x;
  }

  /** The hidden state behind a layer. */
  default Tensor layer(int layer, Tensor x) {
    return x;
  }

  /** This change, and then another. */
  default Modifier then(Modifier next) {
    return new ModifierChain(this, next);
  }
}
