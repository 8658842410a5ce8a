package io.gatun.tensor;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/** Computes one small graph on random F32 inputs. */
final class Ops implements AutoCloseable {
  private final Backend backend;
  private final SplittableRandom random = new SplittableRandom(42);
  private final List<float[]> values = new ArrayList<>();
  private final List<Tensor> inputs = new ArrayList<>();
  private final GraphBuilder graph = new GraphBuilder();

  Ops() {
    this(1, Kernels.ggml());
  }

  Ops(int threads, Kernels kernels) {
    backend = Backend.cpu(threads, kernels);
  }

  /** An F32 input of random values in ±1. */
  Tensor random(long... lengths) {
    float[] data = new float[Math.toIntExact(Shape.of(lengths).elements())];
    for (int i = 0; i < data.length; i++) {
      data[i] = (float) (2 * random.nextDouble() - 1);
    }
    return given(data, lengths);
  }

  Tensor given(float[] data, long... lengths) {
    Tensor input = graph.input("in" + inputs.size(), DType.F32, lengths);
    inputs.add(input);
    values.add(data);
    return input;
  }

  GraphBuilder graph() {
    return graph;
  }

  float[] values(Tensor input) {
    return values.get(inputs.indexOf(input));
  }

  /** Computes and returns all elements of a dense F32 result. */
  float[] compute(Tensor result, Consumer<CompiledGraph> more) {
    graph.output(result);
    Graph built = graph.build();
    try (CompiledGraph compiled = backend.compile(built)) {
      compiled.begin();
      for (int i = 0; i < inputs.size(); i++) {
        if (built.hasInput(inputs.get(i).name())) {
          compiled.write(inputs.get(i), values.get(i));
        }
      }
      more.accept(compiled);
      if (!compiled.compute()) {
        throw new AssertionError("cancelled by nobody");
      }
      int width = (int) result.shape().d0();
      int rows = (int) result.shape().rows();
      float[] all = new float[width * rows];
      float[] row = new float[width];
      for (int r = 0; r < rows; r++) {
        compiled.readRow(result, r, row);
        System.arraycopy(row, 0, all, r * width, width);
      }
      return all;
    }
  }

  float[] compute(Tensor result) {
    return compute(result, _ -> {});
  }

  @Override
  public void close() {
    backend.close();
  }
}
