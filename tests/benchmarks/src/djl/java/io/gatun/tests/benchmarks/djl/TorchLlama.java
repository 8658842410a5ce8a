package io.gatun.tests.benchmarks.djl;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.training.GradientCollector;
import io.gatun.adapters.training.MiniBatch;
import io.gatun.tests.kit.ModelShape;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * A Llama in LibTorch's ops, trained with AdamW: the same maths as Gatun's, with explicit
 * attention, as DJL has no other. Matrices are [out, in], which are the same bytes as GGUF's [in,
 * out].
 */
final class TorchLlama implements AutoCloseable {
  private static final float EPSILON = 1e-5f;
  private static final float BETA1 = 0.9f;
  private static final float BETA2 = 0.99f;

  private final ModelShape shape;
  private final int sequences;
  private final int length;
  private final float loraScale;
  private final NDManager manager = NDManager.newBaseManager("PyTorch");
  private final Map<String, NDArray> weights = new LinkedHashMap<>();
  private final Map<String, Trained> trained = new LinkedHashMap<>();
  private final NDArray cos;
  private final NDArray sin;
  private final NDArray mask;
  private int steps;

  /** What is trained, and its two moments. */
  private record Trained(NDArray value, NDArray first, NDArray second) {}

  TorchLlama(ModelShape shape, int sequences, int length, float loraScale) {
    this.shape = shape;
    this.sequences = sequences;
    this.length = length;
    this.loraScale = loraScale;
    int dim = shape.headDim();
    float[] c = new float[length * dim];
    float[] s = new float[length * dim];
    float[] hidden = new float[length * length];
    for (int t = 0; t < length; t++) {
      for (int i = 0; i < dim; i++) {
        int pair = i / 2;
        double angle = t * Math.pow(10000, -2.0 * pair / dim);
        c[t * dim + i] = (float) Math.cos(angle);
        s[t * dim + i] = (float) (i % 2 == 0 ? -Math.sin(angle) : Math.sin(angle));
      }
      for (int later = t + 1; later < length; later++) {
        hidden[t * length + later] = Float.NEGATIVE_INFINITY;
      }
    }
    cos = manager.create(c, new Shape(1, length, 1, dim));
    sin = manager.create(s, new Shape(1, length, 1, dim));
    mask = manager.create(hidden, new Shape(1, 1, 1, length, length));
  }

  /** Adds a tensor of so many rows, frozen or trained. */
  void put(String name, float[] values, long rows, boolean learns) {
    Shape of = rows == 1 ? new Shape(values.length) : new Shape(rows, values.length / rows);
    NDArray value = manager.create(values, of);
    weights.put(name, value);
    if (learns) {
      value.setRequiresGradient(true);
      trained.put(name, new Trained(value, manager.zeros(of), manager.zeros(of)));
    }
  }

  /** One step; its loss. */
  double step(MiniBatch batch, float rate) {
    try (NDManager work = manager.newSubManager()) {
      NDArray tokens = work.create(batch.tokens()).toType(DataType.INT64, false);
      NDArray labels = work.create(batch.labels()).toType(DataType.INT64, false).reshape(-1, 1);
      double value;
      try (GradientCollector gradients = Engine.getEngine("PyTorch").newGradientCollector()) {
        NDArray loss = logits(work, tokens).logSoftmax(1).gather(labels, 1).mean().neg();
        gradients.backward(loss);
        value = loss.getFloat();
      }
      steps++;
      trained.values().forEach(t -> update(work, t, rate));
      return value;
    }
  }

  private void update(NDManager work, Trained t, float rate) {
    NDArray g = in(work, t.value().getGradient());
    t.first().muli(BETA1).addi(g.mul(1 - BETA1));
    t.second().muli(BETA2).addi(g.square().muli(1 - BETA2));
    double unbiased1 = 1 - Math.pow(BETA1, steps);
    double unbiased2 = 1 - Math.pow(BETA2, steps);
    NDArray root = in(work, t.second().div(unbiased2)).sqrt().addi(1e-8f);
    NDArray change = in(work, t.first().mul(rate / unbiased1)).divi(root);
    t.value().setRequiresGradient(false);
    t.value().subi(change);
    t.value().setRequiresGradient(true);
    g.subi(g); // gradients add up otherwise
  }

  private NDArray logits(NDManager work, NDArray tokens) {
    NDArray x = in(work, weight("token_embd").get(tokens));
    for (int layer = 0; layer < shape.layers(); layer++) {
      String b = "blk." + layer + ".";
      x = x.add(attention(b, norm(x, b + "attn_norm")));
      NDArray h = norm(x, b + "ffn_norm");
      NDArray gate = linear(h, b + "ffn_gate");
      NDArray silu = gate.mul(Activation.sigmoid(gate));
      x = x.add(linear(silu.mul(linear(h, b + "ffn_up")), b + "ffn_down"));
    }
    return norm(x, "output_norm").matMul(in(work, weight("token_embd").transpose()));
  }

  private NDArray attention(String b, NDArray x) {
    int groups = shape.kvHeads();
    int each = shape.heads() / groups;
    int dim = shape.headDim();
    NDArray q =
        rotated(linear(x, b + "attn_q"), shape.heads())
            .reshape(sequences, length, groups, each, dim)
            .transpose(0, 2, 3, 1, 4); // [B, G, H/G, T, D]
    NDArray k =
        rotated(linear(x, b + "attn_k"), groups)
            .reshape(sequences, length, groups, 1, dim)
            .transpose(0, 2, 3, 4, 1); // [B, G, 1, D, T]
    NDArray v =
        linear(x, b + "attn_v")
            .reshape(sequences, length, groups, 1, dim)
            .transpose(0, 2, 3, 1, 4); // [B, G, 1, T, D]
    NDArray seen = q.matMul(k).mul(1 / Math.sqrt(dim)).add(mask).softmax(-1);
    NDArray mixed = seen.matMul(v).transpose(0, 3, 1, 2, 4);
    return linear(
        mixed.reshape(x.getShape().get(0), (long) shape.heads() * dim), b + "attn_output");
  }

  /** Neighbours 2i and 2i + 1 are rotated together. */
  private NDArray rotated(NDArray x, int heads) {
    int dim = shape.headDim();
    NDArray h = x.reshape(sequences, length, heads, dim);
    NDArray other =
        x.reshape(sequences, length, (long) heads * dim / 2, 2)
            .flip(3)
            .reshape(sequences, length, heads, dim);
    return h.mul(cos).add(other.mul(sin));
  }

  private NDArray norm(NDArray x, String name) {
    NDArray mean = x.square().mean(new int[] {1}, true).add(EPSILON);
    return x.div(mean.sqrt()).mul(weight(name));
  }

  private NDArray linear(NDArray x, String name) {
    NDManager work = x.getManager();
    NDArray y = x.matMul(in(work, weight(name).transpose()));
    NDArray down = weights.get(name + ".lora_a");
    if (down == null) {
      return y;
    }
    NDArray up = Objects.requireNonNull(weights.get(name + ".lora_b"));
    return y.add(
        x.matMul(in(work, down.transpose())).matMul(in(work, up.transpose())).mul(loraScale));
  }

  /** Results belong to the manager of their first operand, which for weights ends too late. */
  private static NDArray in(NDManager work, NDArray result) {
    result.attach(work);
    return result;
  }

  private NDArray weight(String name) {
    return Objects.requireNonNull(weights.get(name + ".weight"), name);
  }

  @Override
  public void close() {
    manager.close();
  }
}
