package io.gatun.tests.kit;

import io.gatun.model.gguf.GgufWriter;
import io.gatun.tensor.DType;
import io.gatun.tensor.Quantization;
import io.gatun.tensor.Shape;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.Function;

/** Adds tensors of random values to a file. */
final class MadeTensors {
  /** So many rows are made; a larger tensor repeats them. */
  private static final int DISTINCT_ROWS = 1024;

  private final GgufWriter out;
  private final Function<String, DType> types;
  private final SplittableRandom random;
  private final boolean normBias;

  /**
   * @param normBias whether norms of the hidden state have a bias
   */
  MadeTensors(GgufWriter out, Function<String, DType> types, long seed, boolean normBias) {
    this.out = out;
    this.types = types;
    this.random = new SplittableRandom(seed);
    this.normBias = normBias;
  }

  /** A norm of the hidden state. */
  void norm(String name, int length) {
    vector(name + ".weight", length, 0.5f, 1.5f);
    if (normBias) {
      bias(name, length);
    }
  }

  void bias(String name, int length) {
    vector(name + ".bias", length, -0.1f, 0.1f);
  }

  void vector(String name, int length, float low, float high) {
    out.tensor(
        name,
        DType.F32,
        Shape.of(length),
        Quantization.quantize(DType.F32, uniform(length, low, high), length));
  }

  void table(String name, int width, int rows) {
    out.tensor(
        name,
        DType.F32,
        Shape.of(width, rows),
        Quantization.quantize(DType.F32, uniform(width * rows, -0.1f, 0.1f), width));
  }

  /** Routers are kept in F32 by every converter. */
  void router(String name, int in, int experts) {
    out.tensor(
        name,
        DType.F32,
        Shape.of(in, experts),
        Quantization.quantize(DType.F32, uniform(in * experts, -0.2f, 0.2f), in));
  }

  void matrix(String name, int in, int rows) {
    matrices(name, in, rows, 1);
  }

  void matrices(String name, int in, int rows, int count) {
    DType type = types.apply(name);
    long total = (long) rows * count;
    int distinct = (int) Math.min(total, DISTINCT_ROWS);
    float range = 1.7f / (float) Math.sqrt(in);
    float[] importance = new float[in];
    Arrays.fill(importance, 1f); // some types cannot be written without
    byte[] tile =
        Quantization.quantize(type, uniform(in * distinct, -range, range), in, importance);
    Shape s = count == 1 ? Shape.of(in, rows) : Shape.of(in, rows, count);
    long bytes = type.rowBytes(in) * total;
    out.tensor(
        name,
        type,
        s,
        channel -> {
          for (long done = 0; done < bytes; ) {
            int part = (int) Math.min(tile.length, bytes - done);
            ByteBuffer buffer = ByteBuffer.wrap(tile, 0, part);
            while (buffer.hasRemaining()) {
              var _ = channel.write(buffer);
            }
            done += part;
          }
        });
  }

  private float[] uniform(int count, float low, float high) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = low + (high - low) * (float) random.nextDouble();
    }
    return values;
  }
}
