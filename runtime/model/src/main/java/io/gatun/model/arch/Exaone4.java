package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.Hyperparams;
import io.gatun.model.LayerScope;
import io.gatun.model.gguf.GgufMetadata;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * EXAONE 4: norms after attention and feed-forward instead of before, and of each head of queries
 * and keys; in the larger one three of four layers slide, and only these know positions.
 *
 * @source arXiv 2507.11407; llama.cpp v0.4.0, src/models/exaone4.cpp
 */
public final class Exaone4 implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("exaone4");
  }

  @Override
  public boolean neox() {
    return true;
  }

  /** How many layers the one with sliding windows has; files do not tell otherwise. */
  private static final int LAYERS_WITH_WINDOWS = 64;

  private static final int WINDOW = 4096;

  private static final int PERIOD = 4;

  @Override
  public Hyperparams hyperparams(GgufMetadata metadata) {
    Hyperparams h = NextTokens.without(Hyperparams.read(metadata, neox()));
    boolean slides = h.layerCount() == LAYERS_WITH_WINDOWS;
    return h.withSlidingWindow(slides ? h.keys().integer("attention.sliding_window", WINDOW) : 0);
  }

  @Override
  public boolean sliding(Hyperparams h, int layer) {
    return h.keys().sliding(layer, PERIOD);
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor h = s.residualNormed(x, "post_attention_norm", attention(s, x));
    return s.rmsNorm("post_ffw_norm", s.swiglu(h)).add(h);
  }

  private static Tensor attention(LayerScope s, Tensor x) {
    boolean turned = s.sliding() || s.h().slidingWindow() == 0;
    LayerScope.Qkv p = s.qkv(x);
    Tensor q = s.rmsNorm("attn_q_norm", p.q());
    Tensor k = s.rmsNorm("attn_k_norm", p.k());
    Tensor attended = s.attend(turned ? s.rope(q) : q, turned ? s.rope(k) : k, p.v());
    return s.linear("attn_output", attended);
  }
}
