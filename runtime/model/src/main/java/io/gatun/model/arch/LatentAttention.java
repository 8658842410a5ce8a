package io.gatun.model.arch;

import io.gatun.model.Hyperparams;
import io.gatun.model.LayerScope;
import io.gatun.model.ModelFormatException;
import io.gatun.tensor.RopeParameters;
import io.gatun.tensor.Shape;
import io.gatun.tensor.Tensor;

/**
 * Multi-head latent attention: keys and values of all heads are made of one short row per token, C
 * numbers that know no positions and R that are turned. Where a file has a matrix of each head for
 * either side, these are applied to queries and to what attention gives, so that the C + R numbers
 * are the only key, its first C the value, and a cache need hold nothing else. From one matrix for
 * both sides come keys and values of every head.
 *
 * @param latent C, from {@code attention.kv_lora_rank}
 * @param turned R, from {@code rope.dimension_count}
 * @param plain of a head's key, how many numbers know no positions
 * @param value of a head's value, how many numbers it has
 * @param absorbed whether there is a matrix of each head
 * @source arXiv 2405.04434, section 2.1; order of operations as llama.cpp v0.4.0,
 *     src/models/deepseek2.cpp
 */
record LatentAttention(int latent, int turned, int plain, int value, boolean absorbed) {

  /**
   * Reads the numbers of a file.
   *
   * @throws ModelFormatException when they do not fit each other
   */
  static LatentAttention of(Hyperparams h) {
    Hyperparams.Keys keys = h.keys();
    int latent = keys.required("attention.kv_lora_rank");
    int turned = h.rope().dims();
    int key = keys.integer("attention.key_length_mla", 0);
    int value = keys.integer("attention.value_length_mla", 0);
    boolean absorbed = key > 0 || value > 0;
    LatentAttention read =
        new LatentAttention(
            latent,
            turned,
            (absorbed ? key : h.headDim()) - turned,
            absorbed ? value : h.valueDim(),
            absorbed);
    require(h, "attention.kv_lora_rank", latent, latent >= 1 && latent < 1 << 14, "1 to 16383");
    String keyName = absorbed ? "attention.key_length_mla" : "attention.key_length";
    require(
        h,
        keyName,
        read.plain + turned,
        read.plain >= 1,
        "more than the %d of rope.dimension_count".formatted(turned));
    if (absorbed) {
      require(h, "attention.value_length_mla", value, value >= 1, "1 or more");
      requireOne(h, "attention.head_count_kv", h.kvHeadCount(), 1);
      requireOne(h, "attention.key_length", h.headDim(), latent + turned);
      requireOne(h, "attention.value_length", h.valueDim(), latent);
    } else {
      requireOne(h, "attention.head_count_kv", h.kvHeadCount(), h.headCount());
    }
    return read;
  }

  private static void requireOne(Hyperparams h, String key, int number, int expected) {
    require(h, key, number, number == expected, Integer.toString(expected));
  }

  private static void require(Hyperparams h, String key, int number, boolean fits, String what) {
    if (!fits) {
      throw new ModelFormatException(
          "%s: %s.%s is %d, expected %s"
              .formatted(h.metadata().file(), h.architecture(), key, number, what));
    }
  }

  /**
   * [E, T] → [E, T].
   *
   * @param scale what scores are multiplied with
   */
  Tensor attention(LayerScope s, Tensor x, float scale) {
    int heads = s.h().headCount();
    Tensor q = s.heads(query(s, x), plain + turned, heads); // [P+R, H, T]
    Tensor both = s.linear("attn_kv_a_mqa", x); // [C+R, T]
    requireShape(s, "attn_kv_a_mqa", Shape.of(x.shape().d0(), latent + turned));
    Tensor token =
        s.rmsNorm("attn_kv_a_norm", both.view(Shape.of(latent, both.shape().d1()), 0)); // [C, T]
    Tensor kTurned = s.ropePlain(last(s.heads(both, latent + turned, 1), latent)); // [R, 1, T]
    Tensor qPlain = q.view(q.shape().with(0, plain), 0); // [P, H, T]
    Tensor qTurned = s.ropePlain(last(q, plain)); // [R, H, T]
    LayerScope.Attention options = LayerScope.Attention.scaled(scale);
    Tensor out =
        absorbed
            ? overLatent(s, qPlain, qTurned, token, kTurned, options)
            : overHeads(s, qPlain.concat(qTurned, 0), token, kTurned, options);
    return s.linear("attn_output", out);
  }

  /** Queries from one matrix, or from two with a norm between them. */
  private static Tensor query(LayerScope s, Tensor x) {
    return s.has("attn_q.weight")
        ? s.linear("attn_q", x)
        : s.linear("attn_q_b", s.rmsNorm("attn_q_a_norm", s.linear("attn_q_a", x)));
  }

  private Tensor overLatent(
      LayerScope s,
      Tensor qPlain,
      Tensor qTurned,
      Tensor token,
      Tensor kTurned,
      LayerScope.Attention options) {
    int heads = s.h().headCount();
    long rows = token.shape().d1();
    requireShape(s, "attn_k_b", Shape.of(plain, latent, heads));
    requireShape(s, "attn_v_b", Shape.of(latent, value, heads));
    Tensor absorbedQ = s.weight("attn_k_b.weight").matMul(qPlain.permute(0, 2, 1, 3)); // [C, T, H]
    Tensor q = absorbedQ.permute(0, 2, 1, 3).concat(qTurned, 0); // [C+R, H, T]
    Tensor v = token.reshape(latent, 1, rows);
    Tensor out = s.attend(tempered(s, q), v.concat(kTurned, 0), v, options); // [C·H, T]
    Tensor each = s.heads(out, latent, heads).permute(0, 2, 1, 3); // [C, T, H]
    Tensor values = s.weight("attn_v_b.weight").matMul(each); // [value, T, H]
    return values.permute(0, 2, 1, 3).dense((long) value * heads, rows);
  }

  private Tensor overHeads(
      LayerScope s, Tensor q, Tensor token, Tensor kTurned, LayerScope.Attention options) {
    int heads = s.h().headCount();
    long rows = token.shape().d1();
    Tensor both = s.heads(s.linear("attn_kv_b", token), plain + value, heads); // [P+value, H, T]
    Tensor kPlain = both.view(both.shape().with(0, plain), 0);
    Tensor k = kPlain.concat(kTurned.repeat(turned, heads, rows), 0); // [P+R, H, T]
    return s.attend(tempered(s, q), k, last(both, plain).dense(), options);
  }

  private static Tensor tempered(LayerScope s, Tensor q) {
    return s.grows() ? s.tempered(q) : q;
  }

  /** What is behind the first numbers of each row. */
  private static Tensor last(Tensor x, int from) {
    Shape window = x.shape().with(0, x.shape().d0() - from);
    return x.view(window, (long) from * x.type().blockBytes());
  }

  private static void requireShape(LayerScope s, String matrix, Shape expected) {
    Shape shape = s.weight(matrix + ".weight").shape();
    if (!shape.equals(expected)) {
      throw new ModelFormatException(
          "%s: blk.%d.%s.weight is %s, expected %s"
              .formatted(s.h().metadata().file(), s.layer(), matrix, shape, expected));
    }
  }

  /**
   * The rotation whose magnitude is taken by {@link #scale} instead, as far as the file says so.
   *
   * @source llama.cpp v0.4.0, src/llama-context.cpp (the same float operations, for equal bits)
   */
  static RopeParameters rope(Hyperparams h) {
    RopeParameters rope = h.rope();
    if (rope.extFactor() == 0f || multiplier(h) == 0f) {
      return rope;
    }
    float factor = 1f / (1f + 0.1f * (float) Math.log(1f / rope.scale()));
    return rope.withAttentionFactor(
        factor * (float) h.keys().number("rope.scaling.attn_factor", 1));
  }

  /**
   * What scores are multiplied with: 1/√D with YaRN's magnitude (arXiv 2309.00071) of both sides.
   */
  float scale(Hyperparams h) {
    float log = (float) Math.log(1f / h.rope().scale());
    float own = h.rope().attentionFactor() * (1f + 0.1f * log);
    float magnitude = own * (1f + 0.1f * multiplier(h) * log);
    return magnitude * magnitude / (float) Math.sqrt(plain + turned);
  }

  /** Files have a tenth of it. */
  private static float multiplier(Hyperparams h) {
    return (float) h.keys().number("rope.scaling.yarn_log_multiplier", 0) / 0.1f;
  }
}
