package io.gatun.model.arch;

import io.gatun.model.LayerScope;
import io.gatun.tensor.Op.GluKind;
import io.gatun.tensor.Op.UnaryKind;
import io.gatun.tensor.Shape;
import io.gatun.tensor.Tensor;

/**
 * A mixture of experts: a router gives each token its K best of X experts, whose outputs are summed
 * by the router's weights.
 *
 * @source arXiv 2101.03961; order of operations as llama.cpp v0.4.0, {@code build_moe_ffn}
 */
final class Experts {
  /** The smallest positive normal F16 number: keeps a sum of weights from being 0. */
  private static final float SUM_MIN = 0x1p-14f;

  private Experts() {}

  /**
   * How a family routes.
   *
   * @param softmaxAfter whether the softmax runs over the K selected scores instead of all X
   * @param normalise whether the K weights are divided by their sum
   * @param scale what the weights are multiplied with
   */
  record Routing(boolean softmaxAfter, boolean normalise, float scale, GluKind activation) {
    Routing normalised() {
      return new Routing(softmaxAfter, true, scale, activation);
    }

    Routing scaledByKey(LayerScope s) {
      return new Routing(
          softmaxAfter,
          normalise,
          (float) s.h().keys().number("expert_weights_scale", 0),
          activation);
    }

    Routing withActivation(GluKind kind) {
      return new Routing(softmaxAfter, normalise, scale, kind);
    }
  }

  /** Softmax over all experts, then the best K. */
  static Routing softmax() {
    return new Routing(false, false, 0f, GluKind.SWIGLU);
  }

  /** The best K, then softmax over their scores. */
  static Routing softmaxOverSelected() {
    return new Routing(true, false, 0f, GluKind.SWIGLU);
  }

  /** [E, T] → [E, T]. */
  static Tensor of(LayerScope s, Tensor x, Routing routing) {
    long rows = x.shape().d1();
    int experts = s.h().expertCount();
    int perToken = s.h().expertsPerToken();
    Tensor scores = s.linear("ffn_gate_inp", x); // [X, T]
    Tensor probabilities = routing.softmaxAfter() ? scores : scores.softMax();
    Tensor ids = probabilities.topK(perToken); // [K, T]
    s.routed(scores, ids);
    Tensor weights =
        routed(probabilities.reshape(1, experts, rows).getRows(ids), routing); // [1, K, T]

    Tensor each = x.reshape(x.shape().d0(), 1, rows); // [E, 1, T]
    Tensor up = s.experts("ffn_up_exps", each, ids); // [F, K, T]
    Tensor gate = s.experts("ffn_gate_exps", each, ids); // [F, K, T]
    Tensor out = s.experts("ffn_down_exps", gate.glu(routing.activation(), up), ids);
    return sum(out.mul(weights), perToken, rows);
  }

  /** The expert that every token uses, as a part of its own. */
  static Tensor shared(LayerScope s, Tensor x) {
    Tensor up = s.linear("ffn_up_shexp", x);
    Tensor gate = s.linear("ffn_gate_shexp", x);
    return s.linear("ffn_down_shexp", gate.glu(GluKind.SWIGLU, up));
  }

  /** σ(x) of the shared expert's gate, in the form silu(x)/x that llama.cpp computes. */
  static Tensor sharedGate(LayerScope s, Tensor x) {
    Tensor gate = s.linear("ffn_gate_inp_shexp", x); // [1, T]
    return gate.unary(UnaryKind.SILU).div(gate);
  }

  private static Tensor routed(Tensor weights, Routing routing) {
    long perToken = weights.shape().d1();
    long rows = weights.shape().d2();
    Tensor w = weights;
    if (routing.softmaxAfter()) {
      w = w.reshape(perToken, rows).softMax().reshape(1, perToken, rows);
    }
    if (routing.normalise()) {
      w = w.reshape(perToken, rows);
      w = w.div(w.sumRows().clamp(SUM_MIN, Float.POSITIVE_INFINITY));
      w = w.reshape(1, perToken, rows);
    }
    return routing.scale() == 0f || routing.scale() == 1f ? w : w.scale(routing.scale());
  }

  /** [E, K, T] → [E, T], adding expert by expert in order of rank. */
  private static Tensor sum(Tensor parts, int perToken, long rows) {
    Shape one = Shape.of(parts.shape().d0(), rows);
    Tensor total = part(parts, one, 0);
    for (int k = 1; k < perToken; k++) {
      total = total.add(part(parts, one, k));
    }
    return perToken == 1 ? total.dense() : total;
  }

  private static Tensor part(Tensor parts, Shape shape, int k) {
    long s2 = parts.layout().s2();
    return parts.view(shape, s2, s2 * shape.d1(), s2 * shape.d1(), k * parts.layout().s1());
  }
}
