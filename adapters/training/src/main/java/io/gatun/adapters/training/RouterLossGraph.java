package io.gatun.adapters.training;

import io.gatun.model.Modifier;
import io.gatun.tensor.CompiledGraph;
import io.gatun.tensor.DType;
import io.gatun.tensor.GraphBuilder;
import io.gatun.tensor.Shape;
import io.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Losses of routers, which keep a mixture of experts from using few of them. Built while the layers
 * are, so that recomputation sees them as a part of their layer. Means over the layers:
 *
 * <ul>
 *   <li>balance, X · Σ fₑ·Pₑ: fₑ is the share of choices that fell on expert e, a constant, Pₑ its
 *       mean probability. 1 when all experts are used alike.
 *   <li>z, the mean of (ln Σ exp scores)²: keeps scores small.
 * </ul>
 *
 * @source arXiv 2101.03961, section 2.2; arXiv 2202.08906, section 2.2
 */
final class RouterLossGraph implements Modifier {
  private final TrainerOptions.RouterLosses losses;
  private final int rows;
  private final Tensor labels;
  private final Tensor real;
  private final Tensor share;
  private final Tensor predictions;
  private final List<Tensor> balances = new ArrayList<>();
  private final List<Tensor> zs = new ArrayList<>();

  RouterLossGraph(GraphBuilder g, int rows, int experts, TrainerOptions.RouterLosses losses) {
    this.losses = losses;
    this.rows = rows;
    labels = g.indices("router_labels", DType.I32, experts, rows);
    real = g.input("router_rows", DType.F32, rows);
    share = g.input("router_share", DType.F32, 1, rows);
    predictions = g.input("router_predictions", DType.F32, 1);
  }

  @Override
  public void routed(Tensor scores, Tensor ids) {
    balances.add(balance(scores, ids));
    zs.add(z(scores));
  }

  /** Σ over choices of Pₑ of the chosen one is Σ fₑ·Pₑ, without counting. */
  private Tensor balance(Tensor scores, Tensor ids) {
    long experts = scores.shape().d0();
    Tensor mean = scores.softMax().mul(share).sumTo(experts, 1); // P [X, 1]
    Tensor chosen = mean.reshape(1, experts, 1).repeat(1, experts, rows).getRows(ids); // [1, K, T]
    Tensor sum = chosen.mul(share.reshape(1, 1, rows)).sum();
    return sum.scale((float) experts / ids.shape().d0());
  }

  /** A cross-entropy is ln Σ exp(scores) less the score of its label. */
  private Tensor z(Tensor scores) {
    Tensor first = scores.view(Shape.of(1, rows), 0).dense();
    Tensor logSum = first.add(scores.crossEntropy(labels, real).reshape(1, rows));
    return logSum.mul(logSum).mul(share).sum();
  }

  /** The mean over layers, [1]. */
  Tensor balance() {
    return mean(balances);
  }

  /** The mean over layers, [1]. */
  Tensor z() {
    return mean(zs);
  }

  /** A loss summed over predictions, with these: they count as often as there are predictions. */
  Tensor addTo(Tensor loss, Tensor balance, Tensor z) {
    Tensor sum = loss;
    if (losses.balance() > 0) {
      sum = sum.add(balance.scale(losses.balance()).mul(predictions));
    }
    return losses.z() > 0 ? sum.add(z.scale(losses.z()).mul(predictions)) : sum;
  }

  void write(CompiledGraph target, MiniBatch batch) {
    float[] isReal = new float[rows];
    int count = 0;
    for (int row = 0; row < rows; row++) {
      if (batch.examples()[row] >= 0) {
        isReal[row] = 1;
        count++;
      }
    }
    float[] shares = new float[rows];
    for (int row = 0; row < rows; row++) {
      shares[row] = isReal[row] / Math.max(1, count);
    }
    target.write(labels, new int[rows]);
    target.write(real, isReal);
    target.write(share, shares);
    write(target, predictions, new float[] {(float) batch.weight()});
  }

  private static void write(CompiledGraph target, Tensor input, float[] values) {
    if (target.graph().hasInput(input.name())) {
      target.write(input, values);
    }
  }

  private static Tensor mean(List<Tensor> each) {
    Tensor sum = each.getFirst();
    for (Tensor one : each.subList(1, each.size())) {
      sum = sum.add(one);
    }
    return sum.scale(1f / each.size());
  }
}
