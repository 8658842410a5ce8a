package io.gatun.tensor;

/**
 * What a node of a graph computes. The parameters are here, the operands in {@link
 * Tensor#operands()}; {@link ShapeRules} says which operands an op takes and what it gives, {@link
 * Lowering} how GGML computes it.
 *
 * <p>Adding an op: a record here; the compiler then points at the two switches.
 */
public sealed interface Op {

  /** Values that the caller writes before each compute; integers lie in {@code [0, bound)}. */
  record Input(String name, long bound) implements Op {}

  /** A weight or a piece of KV cache that lives in a {@link TensorStore}. */
  record Stored(StoredTensor tensor) implements Op {}

  /** Rows of a table by index: table [E, V], ids [T] → [E, T]. */
  record GetRows() implements Op {}

  /** Writes rows into a table: table [E, S], rows [E, T], ids [T] → the table. */
  record SetRows() implements Op {}

  /** Elementwise a ∘ b; b is repeated to the shape of a. */
  record Binary(BinaryKind kind) implements Op {}

  /** Adds row {@code ids[k, t]} of a table: x [F, K, T], table [F, X], ids [K, T] → [F, K, T]. */
  record AddId() implements Op {}

  /** x · factor + bias. */
  record Scale(float factor, float bias) implements Op {}

  /** Root-mean-square normalisation of each row. */
  record RmsNorm(float epsilon) implements Op {}

  /** Mean and variance normalisation of each row. */
  record LayerNorm(float epsilon) implements Op {}

  /** W [in, out] and x [in, T] → [out, T]; outer axes of W are shared by those of x. */
  record MatMul(boolean accumulateF32) implements Op {}

  /** Expert matrices W [in, out, X], x [in, K or 1, T], ids [K, T] → [out, K, T]. */
  record MatMulId() implements Op {}

  /** Rotary positions: x [D, H, T], positions [T], optional frequency factors [dims/2]. */
  record Rope(RopeParameters parameters) implements Op {}

  /** Softmax of each row of x·scale + mask, with optional sink logits per head. */
  record SoftMax(float scale, float maxBias, boolean masked, boolean sinks) implements Op {}

  /**
   * Attention: q [D, T, H], k [D, S, G], v [D, S, G], mask F16 [S, T], optional sinks [H] → [D, H,
   * T].
   */
  record Attention(float scale, float softcap, boolean sinks) implements Op {}

  /** Gated activation act(gate) · up. */
  record Glu(GluKind kind) implements Op {}

  /** Gated activation of one tensor whose rows hold gate and up side by side: [2F, T] → [F, T]. */
  record GluFused(GluKind kind) implements Op {}

  /** An elementwise function. */
  record Unary(UnaryKind kind) implements Op {}

  /** min(max(x, low), high). */
  record Clamp(float low, float high) implements Op {}

  /** Sum of each row: [E, T] → [1, T]. */
  record SumRows() implements Op {}

  /** Indices of each row in descending order of value: F32 → I32 of the same shape. */
  record ArgSort() implements Op {}

  /** Index of each row's largest value: [V, T] → I32 [T]. */
  record ArgMax() implements Op {}

  /** Joins two tensors along one axis. */
  record Concat(int axis) implements Op {}

  /** The same bytes seen with another layout, from a byte offset on. */
  record View(Shape shape, long s1, long s2, long s3, long offset) implements Op {}

  /** The same dense elements in another shape. */
  record Reshape(Shape shape) implements Op {}

  /** Axes in another order, without a copy: axis i of the operand becomes axis {@code to[i]}. */
  record Permute(int to0, int to1, int to2, int to3) implements Op {}

  /** A dense copy in a given shape. */
  record Dense(Shape shape) implements Op {}

  /** A copy with another element type. */
  record Cast(DType type) implements Op {}

  /** The four elementwise operations of two tensors. */
  enum BinaryKind {
    ADD,
    SUB,
    MUL,
    DIV
  }

  /** Activations of gated feed-forward networks. */
  enum GluKind {
    /** SiLU(gate) · up, arXiv 2002.05202. */
    SWIGLU,
    /** GELU(gate) · up with the tanh form. */
    GEGLU,
    /** ReLU(gate) · up. */
    REGLU,
    /** gpt-oss: min(gate, 7) · σ(1.702 · gate) · (clamp(up, ±7) + 1). */
    SWIGLU_OAI
  }

  /** Elementwise functions; the ids are GGML's. */
  enum UnaryKind {
    TANH(4),
    RELU(6),
    SIGMOID(7),
    GELU(8),
    SILU(10);

    private final int id;

    UnaryKind(int id) {
      this.id = id;
    }

    int id() {
      return id;
    }
  }
}
