package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.Hyperparams;
import io.gatun.model.LayerScope;
import io.gatun.model.Temperature;
import io.gatun.model.gguf.GgufMetadata;
import io.gatun.tensor.Tensor;
import java.util.Optional;
import java.util.Set;

/**
 * DeepSeek V2, V3 and R1, Kimi K2, Mistral Large 3, GLM 4.7 Flash, GigaChat 3: latent attention,
 * and behind the first layers experts of which some are used by every token.
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
    var _ = temperature(h);
    return h;
  }

  @Override
  public boolean valuesInKeys(Hyperparams h) {
    return LatentAttention.of(h).absorbed();
  }

  @Override
  public Optional<Temperature> temperature(Hyperparams h) {
    return Scales.temperature(h, h.keys().integer("attention.temperature_length", 0));
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
