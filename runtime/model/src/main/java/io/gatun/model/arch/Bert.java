package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.Hyperparams;
import io.gatun.model.LayerScope;
import io.gatun.model.ModelScope;
import io.gatun.tensor.Op.GluKind;
import io.gatun.tensor.Op.UnaryKind;
import io.gatun.tensor.Shape;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * BERT and its kin: encoders with norms behind attention and feed-forward. BERT has learned
 * positions (MiniLM, BGE, E5), Nomic's rotary ones and SwiGLU or experts, Jina's prefers what is
 * near.
 *
 * @source arXiv 1810.04805, 2402.01613, 2310.19923; llama.cpp v0.4.0, src/models/bert.cpp
 */
public final class Bert implements Architecture {
  private static final float JINA_BIAS_MAX = 8f;

  @Override
  public Set<String> names() {
    return Set.of("bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2");
  }

  @Override
  public boolean neox() {
    return true;
  }

  @Override
  public boolean causal() {
    return false;
  }

  @Override
  public boolean distances(Hyperparams h) {
    return h.architecture().equals("jina-bert-v2");
  }

  @Override
  public Tensor embed(ModelScope s, Tensor tokens) {
    Tensor x = s.embedding(tokens);
    if (s.has("token_types.weight")) {
      x = x.add(s.weight("token_types.weight").view(Shape.of(s.h().embeddingLength()), 0));
    }
    if (s.h().architecture().equals("bert")) {
      x = s.weight("position_embd.weight").getRows(s.positions()).add(x);
    }
    return s.layerNorm("token_embd_norm", x);
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor from = s.wanted(x);
    Tensor h = s.layerNorm("attn_output_norm", s.wanted(attention(s, x)).add(from));
    if (s.has("attn_norm_2.weight")) {
      h = s.layerNorm("attn_norm_2", h.add(from));
    }
    return s.layerNorm("layer_output_norm", feedForward(s, h).add(h));
  }

  @Override
  public Tensor finish(ModelScope s, Tensor x) {
    return x;
  }

  private static Tensor attention(LayerScope s, Tensor x) {
    LayerScope.Qkv p = s.qkv(x);
    Tensor q = wide(s, "attn_q_norm", p.q());
    Tensor k = wide(s, "attn_k_norm", p.k());
    LayerScope.Attention options = LayerScope.Attention.scaled(s.h().attentionScale());
    if (s.h().architecture().startsWith("nomic")) {
      q = s.ropePlain(q);
      k = s.ropePlain(k);
    } else if (s.h().architecture().equals("jina-bert-v2")) {
      options = options.withBias(JINA_BIAS_MAX);
    }
    return s.linear("attn_output", s.attend(q, k, p.v(), options));
  }

  /** A norm of all heads at once, where the file has one: [D, H, T] → [D, H, T]. */
  private static Tensor wide(LayerScope s, String name, Tensor heads) {
    if (!s.has(name + ".weight")) {
      return heads;
    }
    Shape shape = heads.shape();
    Tensor rows = heads.reshape(shape.d0() * shape.d1(), shape.d2());
    return s.layerNorm(name, rows).reshape(shape.d0(), shape.d1(), shape.d2());
  }

  private static Tensor feedForward(LayerScope s, Tensor x) {
    return switch (s.h().architecture()) {
      case "bert" -> s.ungated(UnaryKind.GELU, x);
      case "nomic-bert" -> s.swiglu(x);
      case "nomic-bert-moe" -> {
        int every = s.h().keys().integer("moe_every_n_layers", 0);
        yield every > 0 && s.layer() % every == 1
            ? Experts.ungated(s, x, UnaryKind.GELU)
            : s.ungated(UnaryKind.GELU, x);
      }
      default ->
          s.has("ffn_gate.weight")
              ? s.gated(GluKind.GEGLU, x)
              : s.linear("ffn_down", s.linear("ffn_up", x).gluFused(GluKind.GEGLU));
    };
  }
}
