package io.gatun.tensor;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;

/**
 * Reverse-mode differentiation: appends to a graph the nodes that compute the gradient of a loss.
 * Every op has a rule in one switch; nothing is computed that no parameter needs.
 *
 * <p>Indices, masks and positions have no gradient. Values that a parameter reaches only through
 * them, for example by a choice of experts, count as constants. Weights may be of any type that
 * libgatun multiplies with; parameters and gradients are F32.
 *
 * <pre>{@code
 * Tensor loss = logits.crossEntropy(labels, weights).sum();
 * List<Tensor> gradients = Gradients.of(graph, loss, parameters, RecomputePlan.none());
 * for (...) parameter.update(Op.UpdateRule.ADAMW, gradient, settings, squares, m, v);
 * graph.output(loss);
 * }</pre>
 *
 * <p>Not thread-safe, like the builder.
 *
 * @source Griewank and Walther, Evaluating Derivatives, 2008, chapter 3
 */
public final class Gradients {
  private final Backpropagation pass;

  private Gradients(Backpropagation pass) {
    this.pass = pass;
  }

  /**
   * The gradient of each parameter, F32 of its shape.
   *
   * @param loss F32 [1]
   * @param parameters stored tensors, inputs or any other nodes of floats
   * @throws TrainingException when the loss does not depend on a parameter, or does by an op that
   *     has no gradient; the message names both
   */
  public static List<Tensor> of(
      GraphBuilder graph, Tensor loss, List<Tensor> parameters, RecomputePlan plan) {
    Map<Integer, Tensor> found = new HashMap<>();
    each(
        graph,
        loss,
        parameters,
        plan,
        (parameter, gradient) -> found.put(parameter.index(), gradient));
    return parameters.stream().map(p -> found.get(p.index())).toList();
  }

  /**
   * Gives each parameter's gradient as soon as it is complete, last layers first: nodes that are
   * appended then, an update or a {@link Tensor#blend}, come before the rest of the backward pass,
   * so that not all gradients are in memory at a time.
   *
   * @param use called once for each parameter with its gradient
   */
  public static void each(
      GraphBuilder graph,
      Tensor loss,
      List<Tensor> parameters,
      RecomputePlan plan,
      BiConsumer<Tensor, Tensor> use) {
    if (loss.type() != DType.F32 || loss.shape().elements() != 1 || !loss.layout().dense()) {
      throw new TrainingException("a loss is one number, F32 [1], not " + loss);
    }
    List<Tensor> nodes = new ArrayList<>(graph.nodes().subList(0, loss.index() + 1));
    boolean[] needs = needs(graph, nodes, parameters);
    int[] uses = uses(nodes, needs);
    Map<Integer, Tensor> waiting = new HashMap<>();
    for (Tensor parameter : parameters) {
      if (parameter.index() >= nodes.size()
          || (uses[parameter.index()] == 0 && parameter.index() != loss.index())) {
        throw new TrainingException(
            "%s does not depend on %s by any op that has a gradient".formatted(loss, parameter));
      }
      waiting.put(parameter.index(), parameter);
    }
    Recompute recompute = new Recompute(graph, plan);
    Gradients gradients = new Gradients(new Backpropagation(graph, needs, recompute));
    gradients.run(nodes, uses, recompute, waiting, use);
  }

  private void run(
      List<Tensor> nodes,
      int[] uses,
      Recompute recompute,
      Map<Integer, Tensor> waiting,
      BiConsumer<Tensor, Tensor> use) {
    Tensor loss = nodes.getLast();
    // 0 · loss + 1: a loss that is no number gives gradients that are none.
    pass.give(loss, pass.append(new Op.Scale(0f, 1f), loss));
    finish(loss, waiting, use);
    for (Tensor node : nodes.reversed()) {
      Optional<Tensor> dy = pass.gradient(node);
      if (dy.isPresent()) {
        recompute.reach(node);
        rule(node, dy.get());
        for (Tensor operand : distinct(node.operands())) {
          if (pass.needs(operand) && --uses[operand.index()] == 0) {
            finish(operand, waiting, use);
          }
        }
      }
    }
  }

  private void finish(Tensor node, Map<Integer, Tensor> waiting, BiConsumer<Tensor, Tensor> use) {
    Tensor parameter = waiting.remove(node.index());
    if (parameter != null) {
      use.accept(parameter, Backpropagation.dense(pass.gradient(node).orElseThrow()));
    }
  }

  /** Whether a parameter takes part in each node; integers are constants. */
  private static boolean[] needs(GraphBuilder graph, List<Tensor> nodes, List<Tensor> parameters) {
    boolean[] needs = new boolean[graph.nodes().size()];
    for (Tensor parameter : parameters) {
      if (parameter.graph() != graph) {
        throw new IllegalArgumentException("parameter " + parameter + " is of another graph");
      }
      if (!floats(parameter.type())) {
        throw new TrainingException("parameter %s must be of floats".formatted(parameter));
      }
      needs[parameter.index()] = true;
    }
    for (Tensor node : nodes) {
      needs[node.index()] |=
          floats(node.type())
              && node.operands().stream().anyMatch(operand -> needs[operand.index()]);
    }
    return needs;
  }

  /** How many nodes between a parameter and the loss use each node. */
  private static int[] uses(List<Tensor> nodes, boolean[] needs) {
    int[] uses = new int[needs.length];
    Tensor loss = nodes.getLast();
    for (int i = nodes.size() - 1; i >= 0; i--) {
      if (needs[i] && (uses[i] > 0 || i == loss.index())) {
        distinct(nodes.get(i).operands())
            .forEach(operand -> uses[operand.index()] += needs[operand.index()] ? 1 : 0);
      }
    }
    return uses;
  }

  private static List<Tensor> distinct(List<Tensor> operands) {
    Map<Integer, Tensor> byIndex = new HashMap<>();
    operands.forEach(operand -> byIndex.put(operand.index(), operand));
    return List.copyOf(byIndex.values());
  }

  private static boolean floats(DType type) {
    return type == DType.F32 || type == DType.F16 || type == DType.BF16;
  }

  private void rule(Tensor node, Tensor dy) {
    try {
      give(node, dy);
    } catch (ShapeException e) {
      throw new TrainingException(
          "no gradient of %s, which is %s: %s".formatted(node, node.op(), e.getMessage()), e);
    }
  }

  /** The gradients of a node's operands from that of its result. */
  private void give(Tensor node, Tensor dy) {
    switch (node.op()) {
      case Op.Input _, Op.Stored _ -> {}
      case Op.GetRows _ -> MovingGradients.getRows(pass, node, dy);
      case Op.Binary(Op.BinaryKind kind) -> RowGradients.binary(pass, node, dy, kind);
      case Op.AddId _ -> MovingGradients.addId(pass, node, dy);
      case Op.Scale(float factor, float _) ->
          pass.give(node.operands().getFirst(), Backpropagation.dense(dy).scale(factor));
      case Op.RmsNorm(float epsilon) -> RowGradients.norm(pass, node, dy, false, epsilon);
      case Op.LayerNorm(float epsilon) -> RowGradients.norm(pass, node, dy, true, epsilon);
      case Op.MatMul _ -> ProductGradients.matMul(pass, node, dy);
      case Op.MatMulId _ -> ProductGradients.matMulId(pass, node, dy);
      case Op.Rope(RopeParameters parameters) -> RowGradients.rope(pass, node, dy, parameters);
      case Op.SoftMax softMax -> RowGradients.softMax(pass, node, dy, softMax);
      case Op.Attention attention -> ProductGradients.attention(pass, node, dy, attention);
      case Op.Glu(Op.GluKind kind) -> RowGradients.glu(pass, node, dy, kind);
      case Op.GluFused(Op.GluKind kind) ->
          RowGradients.ofOperand(pass, node, dy, new Op.GluFusedBack(kind));
      case Op.Unary(Op.UnaryKind kind) ->
          RowGradients.ofOperand(pass, node, dy, new Op.UnaryBack(kind));
      case Op.Sqrt _ ->
          pass.give(
              node.operands().getFirst(),
              Backpropagation.dense(dy).div(pass.value(node)).scale(0.5f));
      case Op.Clamp(float low, float high) ->
          RowGradients.ofOperand(pass, node, dy, new Op.ClampBack(low, high));
      case Op.SumRows _, Op.SumTo _ -> MovingGradients.repeat(pass, node, dy);
      case Op.Repeat _ ->
          pass.give(
              node.operands().getFirst(),
              Backpropagation.reduce(dy, node.operands().getFirst().shape()));
      case Op.CrossEntropy _ -> RowGradients.crossEntropy(pass, node, dy);
      case Op.Dropout dropout ->
          // What stayed grew, what went is a constant: the same choice, of the gradient.
          pass.give(
              node.operands().getFirst(),
              pass.append(dropout, Backpropagation.dense(dy), node.operands().get(1)));
      case Op.Concat(int axis) -> MovingGradients.concat(pass, node, dy, axis);
      case Op.View view -> MovingGradients.view(pass, node, dy, view);
      case Op.Reshape _, Op.Dense _ -> MovingGradients.reshape(pass, node, dy);
      case Op.Permute permute -> MovingGradients.permute(pass, node, dy, permute);
      case Op.Cast _ -> pass.give(node.operands().getFirst(), dy);
      case Op.ArgSort _, Op.ArgMax _ -> throw none(node, "indices are constants");
      case Op.SumSquares _ -> throw none(node, "a loss needs x.mul(x).sum() instead");
      case Op.Write _ ->
          throw none(node, "training takes keys and values as they come, without a cache");
      case Op.Backward _ -> throw none(node, "gradients have no gradients of their own");
    }
  }

  static TrainingException none(Tensor node, String why) {
    return new TrainingException(
        "%s, which is %s, has no gradient: %s".formatted(node, node.op(), why));
  }

  /** For operands that the rule of an op takes as constants. */
  static void requireConstant(Backpropagation pass, Tensor node, Tensor operand) {
    if (pass.needs(operand)) {
      throw none(node, "it takes %s as a constant, but a parameter is in it".formatted(operand));
    }
  }
}
