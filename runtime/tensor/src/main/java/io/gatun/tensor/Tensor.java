package io.gatun.tensor;

import io.gatun.tensor.Op.BinaryKind;
import io.gatun.tensor.Op.GluKind;
import io.gatun.tensor.Op.UnaryKind;
import java.util.List;

/**
 * A node of a graph under construction: what it computes, from what, and how the result lies in
 * memory. Immutable; the numbers appear only when a {@link CompiledGraph} runs.
 *
 * <p>Methods append a node to the same {@link GraphBuilder} and return it. Every one of them throws
 * {@link ShapeException}, naming the op and the operands, where GGML would abort the process.
 * Shapes are written innermost first with the letters of the glossary in docs/architecture.md.
 */
public final class Tensor {
  private final GraphBuilder graph;
  private final int index;
  private final Op op;
  private final List<Tensor> operands;
  private final Layout layout;
  private final String name;

  Tensor(GraphBuilder graph, int index, Op op, List<Tensor> operands, Layout layout, String name) {
    this.graph = graph;
    this.index = index;
    this.op = op;
    this.operands = operands;
    this.layout = layout;
    this.name = name;
  }

  /** What this node computes. */
  public Op op() {
    return op;
  }

  /** The operands, in the order the op documents. */
  public List<Tensor> operands() {
    return operands;
  }

  /** Element type, lengths and strides. */
  public Layout layout() {
    return layout;
  }

  public Shape shape() {
    return layout.shape();
  }

  public DType type() {
    return layout.type();
  }

  /** The name given by {@link #named}, of an input or of a stored tensor; may be empty. */
  public String name() {
    return name;
  }

  /** The place in the order of creation, which is the order of computation. */
  int index() {
    return index;
  }

  GraphBuilder graph() {
    return graph;
  }

  /** Gives the node a name, for messages and for looking at graphs. */
  public Tensor named(String newName) {
    return graph.rename(this, newName);
  }

  /** this + other; other may repeat. */
  public Tensor add(Tensor other) {
    return graph.append(new Op.Binary(BinaryKind.ADD), this, other);
  }

  /** this − other; other may repeat. */
  public Tensor sub(Tensor other) {
    return graph.append(new Op.Binary(BinaryKind.SUB), this, other);
  }

  /** this · other, elementwise; other may repeat. */
  public Tensor mul(Tensor other) {
    return graph.append(new Op.Binary(BinaryKind.MUL), this, other);
  }

  /** this / other, elementwise; other may repeat. */
  public Tensor div(Tensor other) {
    return graph.append(new Op.Binary(BinaryKind.DIV), this, other);
  }

  /** this · factor. */
  public Tensor scale(float factor) {
    return graph.append(new Op.Scale(factor, 0f), this);
  }

  /** cap · tanh(this / cap): keeps values within ±cap (arXiv 2408.00118, section 2). */
  public Tensor softcap(float cap) {
    return scale(1f / cap).unary(UnaryKind.TANH).scale(cap);
  }

  /** An elementwise function. */
  public Tensor unary(UnaryKind kind) {
    return graph.append(new Op.Unary(kind), this);
  }

  /** √this. */
  public Tensor sqrt() {
    return graph.append(new Op.Sqrt(), this);
  }

  /** Limits every value to [low, high]. */
  public Tensor clamp(float low, float high) {
    return graph.append(new Op.Clamp(low, high), this);
  }

  /** x / √(mean(x²) + ε) of each row (arXiv 1910.07467). */
  public Tensor rmsNorm(float epsilon) {
    return graph.append(new Op.RmsNorm(epsilon), this);
  }

  /** (x − mean) / √(variance + ε) of each row (arXiv 1607.06450). */
  public Tensor layerNorm(float epsilon) {
    return graph.append(new Op.LayerNorm(epsilon), this);
  }

  /** This weight [in, out] applied to x [in, T] → F32 [out, T]. */
  public Tensor matMul(Tensor x) {
    return graph.append(new Op.MatMul(false), this, x);
  }

  /** {@link #matMul} that asks for F32 accumulation on devices which could do less. */
  public Tensor matMulF32(Tensor x) {
    return graph.append(new Op.MatMul(true), this, x);
  }

  /** These expert matrices [in, out, X] applied to x [in, K or 1, T] as ids [K, T] say. */
  public Tensor matMulId(Tensor x, Tensor ids) {
    return graph.append(new Op.MatMulId(), this, x, ids);
  }

  /** Adds to this [F, K, T] the rows of a table [F, X] that ids [K, T] name. */
  public Tensor addId(Tensor table, Tensor ids) {
    return graph.append(new Op.AddId(), this, table, ids);
  }

  /** Rows of this table [E, V] by ids [T] → F32 [E, T]. */
  public Tensor getRows(Tensor ids) {
    return graph.append(new Op.GetRows(), this, ids);
  }

  /** Writes rows [E, T] into this stored table [E, S] at ids [T]; the effect always happens. */
  public Tensor setRows(Tensor rows, Tensor ids) {
    return graph.append(new Op.SetRows(), this, rows, ids);
  }

  /** Turns this [D, H, T] by positions I32 [T]. */
  public Tensor rope(Tensor positions, RopeParameters parameters) {
    return graph.append(new Op.Rope(parameters), this, positions);
  }

  /** {@link #rope(Tensor, RopeParameters)} with frequency factors F32 [dims/2] or longer. */
  public Tensor rope(Tensor positions, Tensor factors, RopeParameters parameters) {
    return graph.append(new Op.Rope(parameters), this, positions, factors);
  }

  /** {@link #rope(Tensor, RopeParameters)} the other way: turns back by positions I32 [T]. */
  public Tensor ropeBack(Tensor positions, RopeParameters parameters) {
    return graph.append(new Op.RopeBack(parameters), this, positions);
  }

  /** {@link #rope(Tensor, Tensor, RopeParameters)} the other way. */
  public Tensor ropeBack(Tensor positions, Tensor factors, RopeParameters parameters) {
    return graph.append(new Op.RopeBack(parameters), this, positions, factors);
  }

  /** Softmax of each row. */
  public Tensor softMax() {
    return graph.append(new Op.SoftMax(1f, 0f, false, false), this);
  }

  /**
   * Softmax of each row of scale · x + mask · slope, with slopes per head up to 2^(−biasMax/H)
   * (arXiv 2108.12409), or 1 for a biasMax of 0: x [S, T, H], mask F16 or F32 [S, T].
   */
  public Tensor softMax(Tensor mask, float scale, float biasMax) {
    return graph.append(new Op.SoftMax(scale, biasMax, true, false), this, mask);
  }

  /**
   * {@link #softMax(Tensor, float, float)} in which a sink of each head, F32 [H], takes part and
   * gets nothing written.
   */
  public Tensor softMaxWithSinks(Tensor mask, Tensor sinks, float scale) {
    return graph.append(new Op.SoftMax(scale, 0f, true, true), this, mask, sinks);
  }

  /** Gated activation act(this) · up. */
  public Tensor glu(GluKind kind, Tensor up) {
    return graph.append(new Op.Glu(kind), this, up);
  }

  /** Gated activation of rows that hold gate and up side by side: [2F, T] → [F, T]. */
  public Tensor gluFused(GluKind kind) {
    return graph.append(new Op.GluFused(kind), this);
  }

  /** Sum of each row: [E, T] → [1, T]. */
  public Tensor sumRows() {
    return graph.append(new Op.SumRows(), this);
  }

  /** Sums over what repeats: a length n becomes m, which divides it, and i adds to i mod m. */
  public Tensor sumTo(long... lengths) {
    return graph.append(new Op.SumTo(Shape.of(lengths)), this);
  }

  /** The sum of all elements, [1]. */
  public Tensor sum() {
    return (shape().d0() == 1 ? this : sumTo(1, shape().d1(), shape().d2(), shape().d3())).sumTo(1);
  }

  /** Repeats a whole number of times along each axis. */
  public Tensor repeat(long... lengths) {
    return graph.append(new Op.Repeat(Shape.of(lengths)), this);
  }

  /**
   * −ln softmax(this)[label] · weight of each row, in one pass that keeps nothing of the width of a
   * vocabulary but the gradient.
   *
   * @param labels I32 [N], which take no gradient
   * @param weights F32 [N]; rows of weight 0 are left out, whatever their label
   * @shape this [V, N] → [N]
   */
  public Tensor crossEntropy(Tensor labels, Tensor weights) {
    return graph.append(new Op.CrossEntropy(), this, labels, weights);
  }

  /**
   * Sets a share of the elements to 0 and makes the others as much larger.
   *
   * @param rate the share, at least 0 and less than 1
   * @param place distinguishes dropouts with the same key
   * @param key I32 [2]: the same one gives the same choice again
   */
  public Tensor dropout(float rate, int place, Tensor key) {
    return graph.append(new Op.Dropout(rate, place), this, key);
  }

  /** Σ x² over all elements, [1]. */
  public Tensor sumSquares() {
    return graph.append(new Op.SumSquares(), this).sum();
  }

  /** Changes this stored tensor to keep · this + gain · x; the effect always happens. */
  public Tensor blend(float keep, float gain, Tensor x) {
    return graph.append(new Op.Blend(keep, gain), this, x);
  }

  /**
   * Changes this stored parameter by one step of an optimiser; the effect always happens, unless
   * squares is not finite.
   *
   * @param gradient of this parameter
   * @param settings F32 [{@link Op#SETTINGS}]: {@link UpdateSettings#toArray}
   * @param squares F32 [1]: Σ g² over the gradients of all parameters that are clipped together
   * @param moments stored, as many as the rule keeps, of {@link #momentLayout}
   */
  public Tensor update(
      Op.UpdateRule rule, Tensor gradient, Tensor settings, Tensor squares, Tensor... moments) {
    Tensor[] operands = new Tensor[4 + moments.length];
    operands[0] = this;
    operands[1] = gradient;
    operands[2] = settings;
    operands[3] = squares;
    System.arraycopy(moments, 0, operands, 4, moments.length);
    return graph.append(new Op.Update(rule), operands);
  }

  /** How a moment of a parameter of some shape is stored, zeroed at first. */
  public static Layout momentLayout(Op.UpdateRule rule, Shape parameter) {
    return rule == Op.UpdateRule.ADAMW_8BIT
        ? Layout.dense(DType.I8, Shape.of(WriteRules.momentBytes(parameter.elements())))
        : Layout.dense(DType.F32, parameter);
  }

  /** Indices of each row's values in descending order, I32 of the same shape. */
  public Tensor argSort() {
    return graph.append(new Op.ArgSort(), this);
  }

  /** Indices of the k largest values of each row, best first: [X, T] → I32 [k, T]. */
  public Tensor topK(int k) {
    Tensor sorted = argSort();
    return sorted.view(sorted.shape().with(0, k), 0);
  }

  /** Index of each row's largest value: [V, T] → I32 [T]. */
  public Tensor argMax() {
    return graph.append(new Op.ArgMax(), this);
  }

  /** This and then other along one axis. */
  public Tensor concat(Tensor other, int axis) {
    return graph.append(new Op.Concat(axis), this, other);
  }

  /** The same dense elements in another shape. */
  public Tensor reshape(long... lengths) {
    return graph.append(new Op.Reshape(Shape.of(lengths)), this);
  }

  /** A window with this tensor's own strides, from a byte offset on. */
  public Tensor view(Shape window, long offset) {
    return graph.append(new Op.View(window, layout.s1(), layout.s2(), layout.s3(), offset), this);
  }

  /** A window with given strides in bytes, from a byte offset on. */
  public Tensor view(Shape window, long s1, long s2, long s3, long offset) {
    return graph.append(new Op.View(window, s1, s2, s3, offset), this);
  }

  /** Axes in another order: axis i becomes axis {@code to_i}. */
  public Tensor permute(int to0, int to1, int to2, int to3) {
    return graph.append(new Op.Permute(to0, to1, to2, to3), this);
  }

  /** Rows become columns. */
  public Tensor transpose() {
    return permute(1, 0, 2, 3);
  }

  /** A dense copy. */
  public Tensor dense() {
    return graph.append(new Op.Dense(shape()), this);
  }

  /** A dense copy in another shape. */
  public Tensor dense(long... lengths) {
    return graph.append(new Op.Dense(Shape.of(lengths)), this);
  }

  /** A copy with another element type. */
  public Tensor cast(DType type) {
    return graph.append(new Op.Cast(type), this);
  }

  @Override
  public String toString() {
    String label = name.isEmpty() ? "%" + index : name;
    return label + " " + layout;
  }
}
