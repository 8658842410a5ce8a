package io.gatun.tensor;

/**
 * What a node of a graph computes. The parameters are here, the operands in {@link
 * Tensor#operands()}; {@link ShapeRules} says which operands an op takes and what it gives, {@link
 * Lowering} how GGML computes it.
 *
 * <p>Adding an op: a record here; the compiler then points at the switches of rules, lowering and
 * gradients.
 */
public sealed interface Op {

  /** Values that the caller writes before each compute; integers lie in {@code [0, bound)}. */
  record Input(String name, long bound) implements Op {}

  /** A weight or a piece of KV cache that lives in a {@link TensorStore}. */
  record Stored(StoredTensor tensor) implements Op {}

  /** Rows of a table by index: table [E, V], ids [T] → [E, T]. */
  record GetRows() implements Op {}

  /** Writes rows into a table: table [E, S], rows [E, T], ids [T] → the table. */
  record SetRows() implements Write {}

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

  /** √x. */
  record Sqrt() implements Op {}

  /** min(max(x, low), high). */
  record Clamp(float low, float high) implements Op {}

  /** Sum of each row: [E, T] → [1, T]. */
  record SumRows() implements Op {}

  /** Indices of each row in descending order of value: F32 → I32 of the same shape. */
  record ArgSort() implements Op {}

  /** Index of each row's largest value: [V, T] → I32 [T]. */
  record ArgMax() implements Op {}

  /** Sums over what repeats: each length of the result divides the operand's. */
  record SumTo(Shape shape) implements Op {}

  /** Repeats a whole number of times along each axis. */
  record Repeat(Shape shape) implements Op {}

  /** −ln softmax(logits)[label] · weight: logits [V, N], labels I32 [N], weights [N] → [N]. */
  record CrossEntropy() implements Op {}

  /** Σ x² of each {@link #SUM_VALUES} values, in order: any shape → [parts]. */
  record SumSquares() implements Op {}

  /**
   * A share of the elements becomes 0, the others grow as much (arXiv 1207.0580): x, key I32 [2].
   * Key, place and the number of an element alone say which.
   */
  record Dropout(float rate, int place) implements Op {}

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

  /**
   * An op that changes a stored tensor, its first operand, and gives that tensor. It is computed
   * even when nothing uses the result.
   */
  sealed interface Write extends Op {}

  /** stored = keep · stored + gain · x; what was stored is not read when keep is 0. */
  record Blend(float keep, float gain) implements Write {}

  /**
   * One step of an optimiser: parameters, their gradient, settings [{@link #SETTINGS}], Σ g² over
   * all gradients [1], one or two stored moments → the parameters.
   */
  record Update(UpdateRule rule) implements Write {}

  /**
   * An op of {@link Gradients}: the gradient of one other op. The first operand is the gradient of
   * that op's result unless said otherwise, written dy.
   */
  sealed interface Backward extends Op {}

  /** Of x in {@link MatMul}: W [in, out], dy [out, T] → [in, T]. */
  record MatMulInput() implements Backward {}

  /** Of W in {@link MatMul}: x [in, T], dy [out, T] → [in, out], one for each outer axis of x. */
  record MatMulWeight() implements Backward {}

  /** Of x in {@link MatMulId}: W [in, out, X], dy [out, K, T], ids [K, T] → [in, K, T]. */
  record ExpertsInput() implements Backward {}

  /** Of W in {@link MatMulId}: x [in, K or 1, T], dy [out, K, T], ids [K, T] → [in, out, X]. */
  record ExpertsWeight(long experts) implements Backward {}

  /** Of {@link RmsNorm}, or of {@link LayerNorm} when centred: dy, x → x's. */
  record NormBack(boolean centred, float epsilon) implements Backward {}

  /** Of {@link Rope}: dy, positions, optional factors → x's. */
  record RopeBack(RopeParameters parameters) implements Backward {}

  /** Of {@link SoftMax}: dy, the result → x's. */
  record SoftMaxBack(float scale) implements Backward {}

  /** Of {@link Unary}: dy, x → x's. */
  record UnaryBack(UnaryKind kind) implements Backward {}

  /** Of {@link Clamp}: dy, x → x's. */
  record ClampBack(float low, float high) implements Backward {}

  /** Of {@link Glu}: dy [F, …], gate, up → gate's and then up's, flat. */
  record GluBack(GluKind kind) implements Backward {}

  /** Of {@link GluFused}: dy [F, T], x [2F, T] → x's. */
  record GluFusedBack(GluKind kind) implements Backward {}

  /** Of the table in {@link GetRows}: dy [E, T], ids [T] → [E, rows]. */
  record ScatterRows(long rows) implements Backward {}

  /** Of the operand of {@link View}: dy → the dense operand's, 0 outside the window. */
  record ScatterView(View view, Shape shape) implements Backward {}

  /** Of the logits in {@link CrossEntropy}: logits, labels, weights, dy [N] → [V, N]. */
  record CrossEntropyBack() implements Backward {}

  /**
   * Of q in {@link Attention}: q, k, v, mask, the result, dy, optional sinks → flat: q's, dense as
   * [D, H, T], and 2 · H · T numbers for {@link AttentionKeys}.
   */
  record AttentionQueries(float scale, float softcap, boolean sinks) implements Backward {}

  /**
   * Of the rest of {@link Attention}: q, k, v, mask, what {@link AttentionQueries} gives, dy,
   * optional sinks → flat: k's, dense as [D, G, S]; v's; the sinks'.
   */
  record AttentionKeys(float scale, float softcap, boolean sinks) implements Backward {}

  /** How many values one sum of {@link SumSquares} takes. */
  int SUM_VALUES = 16384;

  /** How many numbers {@link Update} takes as settings. */
  int SETTINGS = 9;

  /** Rules of {@link Update}. Weight decay is apart from the gradient in all of them. */
  enum UpdateRule {
    /** Gradient descent with momentum; one moment. */
    SGD,
    /** The sign of a momentum, arXiv 2302.06675; one moment. */
    LION,
    /** Adam with decoupled weight decay, arXiv 1711.05101; two moments. */
    ADAMW,
    /** The same with moments of 8 bits in blocks, after arXiv 2110.02861. */
    ADAMW_8BIT;

    /** How many moments it keeps. */
    public int moments() {
      return this == SGD || this == LION ? 1 : 2;
    }
  }

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
    SILU(10),
    EXP(13),
    /** ln(1 + eˣ). */
    SOFTPLUS(15);

    private final int id;

    UnaryKind(int id) {
      this.id = id;
    }

    int id() {
      return id;
    }
  }
}
