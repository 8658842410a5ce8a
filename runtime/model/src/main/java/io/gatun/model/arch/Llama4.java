package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.Hyperparams;
import io.gatun.model.LayerScope;
import io.gatun.model.Temperature;
import io.gatun.model.UnsupportedModelException;
import io.gatun.model.gguf.GgufMetadata;
import io.gatun.tensor.RopeParameters;
import io.gatun.tensor.Tensor;
import java.util.Optional;
import java.util.Set;

/**
 * Llama 4: three of four layers see their own chunk of the text alone; the fourth sees everything,
 * knows no positions, and lets queries grow with theirs. Experts on every layer or every other one,
 * with one more for every token.
 *
 * @source ai.meta.com/blog/llama-4-multimodal-intelligence; llama.cpp v0.4.0, src/models/llama4.cpp
 */
public final class Llama4 implements Architecture {
  private static final int PERIOD = 4;

  /** Length of a chunk, whatever files say. */
  private static final int CHUNK = 8192;

  private static final Temperature TEMPERATURE = new Temperature(CHUNK, 0.1f, 1f);

  /** The model with so many experts was trained without norms of heads. */
  private static final int EXPERTS_WITHOUT_NORMS = 128;

  @Override
  public Set<String> names() {
    return Set.of("llama4");
  }

  @Override
  public Hyperparams hyperparams(GgufMetadata metadata) {
    Hyperparams h = Hyperparams.read(metadata, neox());
    if (h.expertCount() == 0) {
      throw new UnsupportedModelException(
          "%s: llama4.expert_count is 0: Llama 4 without experts is not supported"
              .formatted(metadata.file()));
    }
    if (h.keys().integer("attention.sliding_window", CHUNK) == 0) {
      throw new UnsupportedModelException(
          "%s: llama4.attention.sliding_window is 0: Llama 4 without chunks is not supported"
              .formatted(metadata.file()));
    }
    return h.withSlidingWindow(CHUNK);
  }

  @Override
  public boolean sliding(Hyperparams h, int layer) {
    return h.keys().sliding(layer, PERIOD);
  }

  @Override
  public boolean chunked() {
    return true;
  }

  @Override
  public Optional<Temperature> temperature(Hyperparams h) {
    return Optional.of(TEMPERATURE);
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor h = s.residual(x, attention(s, s.rmsNorm("attn_norm", x)));
    Tensor y = s.rmsNorm("ffn_norm", h);
    return (Experts.onLayer(s) ? experts(s, y) : s.swiglu(y)).add(h);
  }

  private static Tensor attention(LayerScope s, Tensor x) {
    LayerScope.Qkv p = s.qkv(x);
    Tensor q = p.q();
    Tensor k = p.k();
    if ((s.layer() + 1) % PERIOD == 0) {
      q = s.tempered(q);
    } else {
      RopeParameters rope = rope(s);
      q = normed(s, s.rope(q, rope));
      k = normed(s, s.rope(k, rope));
    }
    return s.linear("attn_output", s.attend(q, k, p.v(), Scales.attention(s)));
  }

  private static RopeParameters rope(LayerScope s) {
    RopeParameters rope = s.h().rope();
    return s.sliding()
        ? rope.withBase((float) s.h().keys().number("rope.freq_base_swa", rope.base()))
        : rope;
  }

  /** Each head divided by its length. */
  private static Tensor normed(LayerScope s, Tensor heads) {
    return s.h().expertCount() == EXPERTS_WITHOUT_NORMS ? heads : heads.rmsNorm(s.h().rmsEpsilon());
  }

  private static Tensor experts(LayerScope s, Tensor x) {
    Tensor routed = Experts.of(s, x, Experts.sigmoid().ofInputs().scaledByKey(s));
    return routed.add(Experts.shared(s, x));
  }
}
