package io.gatun.model;

import io.gatun.tensor.Tensor;
import java.util.Optional;

/** Two changes, one after the other. */
record ModifierChain(Modifier first, Modifier second) implements Modifier {
  @Override
  public Tensor linear(String name, Tensor x, Tensor y) {
    return second.linear(name, x, first.linear(name, x, y));
  }

  @Override
  public Tensor experts(String name, Tensor x, Tensor ids, Tensor y) {
    return second.experts(name, x, ids, first.experts(name, x, ids, y));
  }

  @Override
  public void routed(Tensor scores, Tensor ids) {
    first.routed(scores, ids);
    second.routed(scores, ids);
  }

  @Override
  public Optional<KeysValues> before(int layer) {
    return first.before(layer).or(() -> second.before(layer));
  }

  @Override
  public Tensor embedded(Tensor x) {
    return second.embedded(first.embedded(x));
  }

  @Override
  public Tensor layer(int layer, Tensor x) {
    return second.layer(layer, first.layer(layer, x));
  }
}
