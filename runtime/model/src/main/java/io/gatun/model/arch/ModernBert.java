package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.Hyperparams;
import io.gatun.model.LayerScope;
import io.gatun.model.ModelScope;
import io.gatun.tensor.Op.GluKind;
import io.gatun.tensor.Op.UnaryKind;
import io.gatun.tensor.RopeParameters;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * ModernBERT: an encoder with norms in front, rotary positions, and windows around each token on
 * two of three layers.
 *
 * @source arXiv 2412.13663; llama.cpp v0.4.0, src/models/modern-bert.cpp
 */
public final class ModernBert implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("modern-bert");
  }

  @Override
  public boolean neox() {
    return true;
  }

  @Override
  public boolean causal() {
    return false;
  }

  /** Unlike elsewhere, the first layer of each period sees everything. */
  @Override
  public boolean sliding(Hyperparams h, int layer) {
    long[] pattern =
        h.metadata()
            .integers("modern-bert.attention.sliding_window_pattern")
            .orElseGet(() -> new long[] {3});
    return pattern.length > 1
        ? layer < pattern.length && pattern[layer] != 0
        : pattern[0] > 0 && layer % pattern[0] != 0;
  }

  @Override
  public Tensor embed(ModelScope s, Tensor tokens) {
    return s.layerNorm("token_embd_norm", s.embedding(tokens));
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor h = s.residual(x, attention(s, x));
    Tensor both = s.linear("ffn_up", s.layerNorm("ffn_norm", h)); // [2F, T]
    return s.linear("ffn_down", both.gluFused(GluKind.GEGLU)).add(h);
  }

  @Override
  public Tensor finish(ModelScope s, Tensor x) {
    return s.layerNorm("output_norm", x);
  }

  @Override
  public Tensor scores(ModelScope s, Tensor x) {
    Tensor y = s.linear("cls", x).unary(UnaryKind.GELU);
    y = s.has("cls.norm.weight") ? s.layerNorm("cls.norm", y) : y;
    return s.has("cls.output.weight") ? s.linear("cls.output", y) : y;
  }

  @Override
  public boolean ranksByAverage() {
    return true;
  }

  /** The first layer has no norm in front: the embedding's is enough. */
  private static Tensor attention(LayerScope s, Tensor x) {
    Tensor y = s.has("attn_norm.weight") ? s.layerNorm("attn_norm", x) : x;
    RopeParameters rope = s.h().rope();
    if (s.sliding()) {
      rope = rope.withBase((float) s.h().keys().number("rope.freq_base_swa", rope.base()));
    }
    LayerScope.Qkv p = s.qkv(y);
    Tensor attended = s.attend(s.ropePlain(p.q(), rope), s.ropePlain(p.k(), rope), p.v());
    return s.linear("attn_output", attended);
  }
}
