package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.Hyperparams;
import io.gatun.model.LayerScope;
import io.gatun.model.ModelScope;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * Gemma 3: as Gemma 2, but with normalised queries and keys instead of bounded scores, five sliding
 * layers to each full one, and a rotation of their own for the sliding ones.
 *
 * @source arXiv 2503.19786; llama.cpp v0.4.0, src/models/gemma3.cpp
 */
public final class Gemma3 implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("gemma3");
  }

  @Override
  public boolean neox() {
    return true;
  }

  private static final int LAYERS_OF_27B = 62;

  @Override
  public boolean sliding(Hyperparams h, int layer) {
    return h.keys().sliding(layer, 6);
  }

  @Override
  public Tensor embed(ModelScope s, Tensor tokens) {
    return GemmaBlock.embed(s, tokens);
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    return GemmaBlock.layer(s, x, GemmaBlock.queryScale(s, LAYERS_OF_27B));
  }

  @Override
  public Tensor head(ModelScope s, Tensor x) {
    float cap = (float) s.h().keys().number("final_logit_softcapping", 0);
    Tensor logits = s.output(x);
    return cap == 0f ? logits : logits.softcap(cap);
  }
}
