package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.Hyperparams;
import io.gatun.model.LayerScope;
import io.gatun.model.UnsupportedModelException;
import io.gatun.model.gguf.GgufMetadata;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * DeepSeek V2, V3 and R1, Kimi K2, GLM 4.7 Flash, GigaChat 3: latent attention, and behind the
 * first layers experts of which some are used by every token.
 *
 * @source arXiv 2405.04434, 2412.19437; llama.cpp v0.4.0, src/models/deepseek2.cpp
 */
public final class Deepseek2 implements Architecture {
  /** The vocabulary of GLM 4.7 Flash, whose first files do not say how experts are chosen. */
  private static final int GLM_VOCABULARY = 154880;

  @Override
  public Set<String> names() {
    return Set.of("deepseek2");
  }

  @Override
  public Hyperparams hyperparams(GgufMetadata metadata) {
    Hyperparams read = NextTokens.without(Hyperparams.read(metadata, neox()));
    Hyperparams h = read.withRope(LatentAttention.rope(read));
    var _ = LatentAttention.of(h);
    if (h.keys().number("attention.temperature_scale", 0) != 0) {
      throw new UnsupportedModelException(
          "%s: deepseek2.attention.temperature_scale: queries that grow with their position are not supported"
              .formatted(metadata.file()));
    }
    return h;
  }

  @Override
  public boolean valuesInKeys(Hyperparams h) {
    return LatentAttention.of(h).absorbed();
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    LatentAttention attention = LatentAttention.of(s.h());
    Tensor attended = attention.attention(s, s.rmsNorm("attn_norm", x), attention.scale(s.h()));
    Tensor h = s.residual(x, attended);
    Tensor y = s.rmsNorm("ffn_norm", h);
    return (Experts.onLayer(s) ? experts(s, y) : s.swiglu(y)).add(h);
  }

  private static Tensor experts(LayerScope s, Tensor x) {
    Experts.Routing usual =
        vocabulary(s.h()) == GLM_VOCABULARY ? Experts.sigmoid() : Experts.softmax();
    return Experts.of(s, x, usual.byKeys(s)).add(Experts.shared(s, x));
  }

  private static int vocabulary(Hyperparams h) {
    int tokens = h.metadata().arrayLength("tokenizer.ggml.tokens").orElse(0);
    return h.keys().integer("vocab_size", tokens);
  }
}
