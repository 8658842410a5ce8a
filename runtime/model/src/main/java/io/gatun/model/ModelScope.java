package io.gatun.model;

import io.gatun.tensor.Shape;
import io.gatun.tensor.ShapeException;
import io.gatun.tensor.StoredTensor;
import io.gatun.tensor.Tensor;

/**
 * What an {@link Architecture} builds with, outside of layers: weights by their GGUF names, and the
 * operations that every family shares. Weights are looked up as {@code name + ".weight"} and their
 * shapes checked; a bias is added when the file has one.
 */
public class ModelScope {
  final Pass pass;
  private final String prefix;

  ModelScope(Pass pass, String prefix) {
    this.pass = pass;
    this.prefix = prefix;
  }

  public Hyperparams h() {
    return pass.model().hyperparams();
  }

  /** Whether the file has a tensor, for example {@code attn_q.bias}. */
  public boolean has(String name) {
    return pass.weights().find(prefix + name).isPresent();
  }

  /** A tensor of the file by its full name within this scope, with its suffix. */
  public Tensor weight(String name) {
    StoredTensor stored =
        pass.weights()
            .find(prefix + name)
            .orElseThrow(() ->
                new ModelFormatException(
                    "%s: the tensor %s is missing, which architecture %s needs"
                        .formatted(h().metadata().file(), prefix + name, h().architecture())));
    return pass.graph().stored(stored);
  }

  /** W·x (+ bias): [in, T] → [out, T]. */
  public Tensor linear(String name, Tensor x) {
    Tensor y = fitted(name, x, weight(name + ".weight")).matMul(x);
    y = pass.modifier().linear(fullName(name), x, y);
    if (has(name + ".scale")) {
      y = y.mul(weight(name + ".scale"));
    }
    return has(name + ".bias") ? y.add(weight(name + ".bias")) : y;
  }

  /** RMS-normalised and multiplied by a gain: [E, …] → [E, …]. */
  public Tensor rmsNorm(String name, Tensor x) {
    Tensor y = x.rmsNorm(h().rmsEpsilon()).mul(weight(name + ".weight"));
    return has(name + ".bias") ? y.add(weight(name + ".bias")) : y;
  }

  /**
   * Normalised to mean 0 and variance 1 (arXiv 1607.06450), then multiplied by a gain, and shifted
   * if the file has a bias: [E, …] → [E, …].
   */
  public Tensor layerNorm(String name, Tensor x) {
    float epsilon = (float) h().keys().number("attention.layer_norm_epsilon", 1e-5);
    Tensor y = x.layerNorm(epsilon).mul(weight(name + ".weight"));
    return has(name + ".bias") ? y.add(weight(name + ".bias")) : y;
  }

  /** Rows of the token embedding: ids [T] → [E, T]. */
  public Tensor embedding(Tensor tokens) {
    return weight("token_embd.weight").getRows(tokens);
  }

  /** The output matrix, or the token embedding where they are tied: [E, N] → [V, N]. */
  public Tensor output(Tensor x) {
    return has("output.weight") ? linear("output", x) : weight("token_embd.weight").matMul(x);
  }

  /** Where each row stands in its text: I32 [T]. */
  public Tensor positions() {
    return pass.positions();
  }

  /** A name within this scope as the file has it. */
  final String fullName(String name) {
    return prefix + name;
  }

  private Tensor fitted(String name, Tensor x, Tensor w) {
    Shape shape = w.shape();
    if (shape.d0() != x.shape().d0() || shape.d2() != 1) {
      throw new ShapeException(
          "%s%s.weight: expected [%d, …] but %s has %s"
              .formatted(prefix, name, x.shape().d0(), h().metadata().file(), shape));
    }
    return w;
  }
}
