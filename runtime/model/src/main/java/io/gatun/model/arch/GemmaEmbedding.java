package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.Hyperparams;
import io.gatun.model.LayerScope;
import io.gatun.model.ModelScope;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * EmbeddingGemma: Gemma 3 as an encoder, with windows around each token.
 *
 * @source arXiv 2509.20354; llama.cpp v0.4.0, src/models/gemma-embedding.cpp
 */
public final class GemmaEmbedding implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("gemma-embedding");
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
  public boolean sliding(Hyperparams h, int layer) {
    return h.keys().sliding(layer, 6);
  }

  @Override
  public Tensor embed(ModelScope s, Tensor tokens) {
    return GemmaBlock.embed(s, tokens);
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    return GemmaBlock.layer(s, x, s.h().attentionScale());
  }
}
