package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.Hyperparams;
import io.gatun.model.LayerScope;
import io.gatun.model.ModelScope;
import io.gatun.model.gguf.GgufMetadata;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * Gemma 2: norms before and after attention and feed-forward, GELU, bounded scores and logits, and
 * sliding windows on every other layer.
 *
 * @source arXiv 2408.00118; llama.cpp v0.4.0, src/models/gemma2.cpp
 */
public final class Gemma2 implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("gemma2");
  }

  @Override
  public boolean neox() {
    return true;
  }

  private static final int LAYERS_OF_27B = 46;

  @Override
  public Hyperparams hyperparams(GgufMetadata metadata) {
    Hyperparams h = Hyperparams.read(metadata, neox());
    return h.withSlidingWindow(h.keys().integer("attention.sliding_window", 4096));
  }

  @Override
  public boolean sliding(Hyperparams h, int layer) {
    return h.keys().sliding(layer, 2);
  }

  @Override
  public Tensor embed(ModelScope s, Tensor tokens) {
    return GemmaBlock.embed(s, tokens);
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    float base = s.h().rope().base();
    LayerScope.Qkv p = s.qkv(s.rmsNorm("attn_norm", x));
    Tensor q = s.ropePlain(p.q(), GemmaBlock.rope(s, base, s.h().rope().scale()));
    Tensor k = s.ropePlain(p.k(), GemmaBlock.rope(s, base, s.h().rope().scale()));
    float cap = (float) s.h().keys().number("attn_logit_softcapping", 50);
    Tensor attended =
        s.attend(
            q.scale(GemmaBlock.queryScale(s, LAYERS_OF_27B)),
            k,
            p.v(),
            LayerScope.Attention.scaled(1f).withSoftcap(cap));
    return GemmaBlock.finish(s, x, s.linear("attn_output", attended));
  }

  @Override
  public Tensor head(ModelScope s, Tensor x) {
    float cap = (float) s.h().keys().number("final_logit_softcapping", 30);
    return s.output(x).softcap(cap);
  }
}
