package io.gatun.model.arch;

import io.gatun.model.Hyperparams;
import io.gatun.model.LayerScope;
import io.gatun.model.UnsupportedModelException;
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

  /** What makes weights of the router's scores. */
  enum Gating {
    /** Softmax over all X. */
    SOFTMAX,
    /** Each score on its own, arXiv 2412.19437. */
    SIGMOID,
    /** Softmax over the K that were selected by their scores. */
    SOFTMAX_OF_SELECTED
  }

  /**
   * How a family routes.
   *
   * @param normalise whether the K weights are divided by their sum
   * @param scale what the weights are multiplied with
   * @param onInputs whether experts get their inputs weighted instead of having their outputs
   *     weighted; they are then chosen by scores as they are
   */
  record Routing(
      Gating gating, boolean normalise, float scale, GluKind activation, boolean onInputs) {
    Routing normalised() {
      return new Routing(gating, true, scale, activation, onInputs);
    }

    Routing scaledByKey(LayerScope s) {
      float factor = (float) s.h().keys().number("expert_weights_scale", 0);
      return new Routing(gating, normalise, factor, activation, onInputs);
    }

    /** With everything that files say by keys; without them as this. */
    Routing byKeys(LayerScope s) {
      Hyperparams.Keys keys = s.h().keys();
      boolean sums = keys.flag("expert_weights_norm", normalise);
      return new Routing(gatingByKey(keys), sums, scale, activation, onInputs).scaledByKey(s);
    }

    /** The numbers are GGUF's. */
    private Gating gatingByKey(Hyperparams.Keys keys) {
      int number = keys.integer("expert_gating_func", 0);
      return switch (number) {
        case 0 -> gating;
        case 1 -> Gating.SOFTMAX;
        case 2 -> Gating.SIGMOID;
        case 3 -> Gating.SOFTMAX_OF_SELECTED;
        default ->
            throw new UnsupportedModelException(
                "%s: %s.expert_gating_func is %d; known are 1 (softmax), 2 (sigmoid) and 3 (softmax of the selected)"
                    .formatted(keys.metadata().file(), keys.architecture(), number));
      };
    }

    Routing withActivation(GluKind kind) {
      return new Routing(gating, normalise, scale, kind, onInputs);
    }

    Routing ofInputs() {
      return new Routing(gating, normalise, scale, activation, true);
    }
  }

  /** Softmax over all experts, then the best K. */
  static Routing softmax() {
    return new Routing(Gating.SOFTMAX, false, 0f, GluKind.SWIGLU, false);
  }

  /** The logistic function of each score, then the best K. */
  static Routing sigmoid() {
    return new Routing(Gating.SIGMOID, false, 0f, GluKind.SWIGLU, false);
  }

  /** The best K, then softmax over their scores. */
  static Routing softmaxOverSelected() {
    return new Routing(Gating.SOFTMAX_OF_SELECTED, false, 0f, GluKind.SWIGLU, false);
  }

  /**
   * Whether a layer of a family that mixes both has experts: every n-th layer behind the leading
   * dense ones.
   */
  static boolean onLayer(LayerScope s) {
    int step = Math.max(1, s.h().keys().integer("interleave_moe_layer_step", 1));
    return s.h().expertCount() > 0
        && s.layer() >= s.h().keys().integer("leading_dense_block_count", 0)
        && (s.layer() + 1) % step == 0;
  }

  /** [E, T] → [E, T]. */
  static Tensor of(LayerScope s, Tensor x, Routing routing) {
    Routed r = route(s, x, routing);
    int perToken = s.h().expertsPerToken();
    long rows = x.shape().d1();
    Tensor each = x.reshape(x.shape().d0(), 1, rows); // [E, 1, T]
    if (routing.onInputs()) {
      Tensor copies = perToken == 1 ? each : each.repeat(x.shape().d0(), perToken, rows);
      each = copies.mul(r.weights()); // [E, K, T]
    }
    Tensor out = s.experts("ffn_down_exps", gated(s, each, r.ids(), routing), r.ids());
    return sum(routing.onInputs() ? out : out.mul(r.weights()), perToken, rows);
  }

  /** act(gate) · up, from two matrices of each expert or from one: [E, 1 or K, T] → [F, K, T]. */
  private static Tensor gated(LayerScope s, Tensor each, Tensor ids, Routing routing) {
    if (s.has("ffn_gate_up_exps.weight")) {
      Tensor both = s.experts("ffn_gate_up_exps", each, ids); // [2F, K, T]
      Shape half = both.shape().with(0, both.shape().d0() / 2);
      Tensor up = both.view(half, half.d0() * both.type().blockBytes());
      return both.view(half, 0).glu(routing.activation(), up);
    }
    Tensor up = s.experts("ffn_up_exps", each, ids); // [F, K, T]
    return s.experts("ffn_gate_exps", each, ids).glu(routing.activation(), up);
  }

  /** Which experts each token has, I32 [K, T], and their weights [1, K, T]. */
  private record Routed(Tensor ids, Tensor weights) {}

  private static Routed route(LayerScope s, Tensor x, Routing routing) {
    int experts = s.h().expertCount();
    Tensor scores = s.linear("ffn_gate_inp", x); // [X, T]
    Tensor probabilities =
        switch (routing.gating()) {
          case SOFTMAX -> scores.softMax();
          case SIGMOID -> scores.unary(UnaryKind.SIGMOID);
          case SOFTMAX_OF_SELECTED -> scores;
        };
    Tensor bare = routing.onInputs() ? scores : probabilities;
    // A bias that keeps experts equally busy takes part in the choice alone (arXiv 2408.15664).
    Tensor choice = s.has("exp_probs_b.bias") ? bare.add(s.weight("exp_probs_b.bias")) : bare;
    Tensor open = ExpertGroups.of(s).map(groups -> groups.within(choice)).orElse(choice);
    Tensor ids = open.topK(s.h().expertsPerToken()); // [K, T]
    s.routed(scores, ids);
    Tensor each = probabilities.reshape(1, experts, x.shape().d1());
    return new Routed(ids, weights(each.getRows(ids), routing));
  }

  /**
   * Experts of two matrices around an activation, with weights of a softmax over all: [E, T] → [E,
   * T].
   */
  static Tensor ungated(LayerScope s, Tensor x, UnaryKind activation) {
    Routed r = route(s, x, softmax());
    Tensor each = x.reshape(x.shape().d0(), 1, x.shape().d1()); // [E, 1, T]
    Tensor up = s.experts("ffn_up_exps", each, r.ids()).unary(activation); // [F, K, T]
    Tensor out = s.experts("ffn_down_exps", up, r.ids());
    return sum(out.mul(r.weights()), s.h().expertsPerToken(), x.shape().d1());
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

  private static Tensor weights(Tensor weights, Routing routing) {
    long perToken = weights.shape().d1();
    long rows = weights.shape().d2();
    Tensor w = weights;
    if (routing.gating() == Gating.SOFTMAX_OF_SELECTED) {
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
