package io.gatun.model;

import io.gatun.model.gguf.GgufMetadata;
import io.gatun.tensor.Op.UnaryKind;
import io.gatun.tensor.Tensor;
import java.util.Optional;
import java.util.Set;

/**
 * One family of models: its embedding, one layer, and its read-out. It knows nothing of caches,
 * batches, adapters or training; {@link DecoderGraph} owns the loop over layers.
 *
 * <p>The smallest one:
 *
 * <pre>{@code
 * public final class Llama implements Architecture {
 *   public Set<String> names() { return Set.of("llama"); }
 *   public Tensor layer(LayerScope s, Tensor x) {
 *     Tensor h = s.residual(x, s.selfAttention(s.rmsNorm("attn_norm", x)));
 *     return h.add(s.swiglu(s.rmsNorm("ffn_norm", h)));
 *   }
 * }
 * }</pre>
 *
 * <p>To add one: a file in the {@code arch} package and a line in {@code
 * META-INF/services/io.gatun.model.Architecture}. Implementations are stateless and thread-safe.
 */
public interface Architecture {
  /** The values of {@code general.architecture} that this family covers. */
  Set<String> names();

  /** Reads the numbers; {@code neox} says how the family pairs values for rotary positions. */
  default Hyperparams hyperparams(GgufMetadata metadata) {
    return Hyperparams.read(metadata, neox());
  }

  /** Whether rotary positions pair (i, i + D/2) rather than (2i, 2i + 1). */
  default boolean neox() {
    return false;
  }

  /** Token ids [T] → hidden state [E, T]. */
  default Tensor embed(ModelScope s, Tensor tokens) {
    return s.embedding(tokens);
  }

  /** One layer: hidden state [E, T] → [E, T], or [E, N] on the last layer. */
  Tensor layer(LayerScope s, Tensor x);

  /** What the last layer gives [E, N] → what logits are made of and embeddings are: [E, N]. */
  default Tensor finish(ModelScope s, Tensor x) {
    return s.rmsNorm("output_norm", x);
  }

  /** Finished hidden state [E, N] → logits [V, N]. */
  default Tensor head(ModelScope s, Tensor x) {
    if (!causal()) {
      throw new UnsupportedModelException(
          "%s: %s is an encoder: it makes vectors of texts and generates none"
              .formatted(s.h().metadata().file(), s.h().architecture()));
    }
    return s.output(x);
  }

  /** Whether each token sees only those before it. Encoders see all, and generate nothing. */
  default boolean causal() {
    return true;
  }

  /** Whether a layer sees only the last {@code slidingWindow} tokens. */
  default boolean sliding(Hyperparams h, int layer) {
    return false;
  }

  /** Whether a window is the chunk of the text that a token is in, and not the last tokens. */
  default boolean chunked() {
    return false;
  }

  /** How queries grow with their position, where layers ask for it. */
  default Optional<Temperature> temperature(Hyperparams h) {
    return Optional.empty();
  }

  /**
   * Whether values are the first numbers of keys, with one head for all queries, so that a cache
   * holds keys alone (multi-head latent attention, arXiv 2405.04434).
   */
  default boolean valuesInKeys(Hyperparams h) {
    return false;
  }

  /**
   * The scores of a reranker: the row that stands for a pair of query and document [E, N] →
   * [labels, N], of which the first is the score.
   */
  default Tensor scores(ModelScope s, Tensor x) {
    Tensor y = x;
    if (s.has("cls.weight")) {
      y = s.linear("cls", y).unary(UnaryKind.TANH);
      y = s.has("cls.norm.weight") ? s.layerNorm("cls.norm", y) : y;
    }
    return s.has("cls.output.weight") ? s.linear("cls.output", y) : y;
  }

  /** Whether a reranker averages all rows instead of taking the first, or of decoders the last. */
  default boolean ranksByAverage() {
    return false;
  }

  /** Whether attention knows positions only by how far apart they are (arXiv 2108.12409). */
  default boolean distances(Hyperparams h) {
    return false;
  }
}
