package io.gatun.adapters.training;

import io.gatun.model.Model;
import io.gatun.model.gguf.TensorInfo;
import io.gatun.tensor.Backend;
import io.gatun.tensor.CompiledGraph;
import io.gatun.tensor.DType;
import io.gatun.tensor.GraphBuilder;
import io.gatun.tensor.Kernels;
import io.gatun.tensor.StoredTensor;
import io.gatun.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;

/** Numbers of a model's weights, whatever their type. */
final class WeightValues {
  private WeightValues() {}

  /** All values of a weight, in the order of the file. */
  static float[] read(Model model, String name) {
    StoredTensor weight = model.weights().find(name).orElseThrow();
    int width = Math.toIntExact(weight.shape().d0());
    int rows = Math.toIntExact(weight.shape().rows());
    float[] values = new float[Math.multiplyExact(width, rows)];
    try (Backend backend = Backend.cpu(1, Kernels.ggml())) {
      GraphBuilder g = new GraphBuilder();
      Tensor stored = g.stored(weight);
      long d1 = weight.shape().d1();
      Tensor ids = g.indices("rows", DType.I32, d1, d1, weight.shape().d2());
      Tensor copy = stored.getRows(ids);
      g.output(copy);
      try (CompiledGraph compiled = backend.compile(g.build())) {
        compiled.begin();
        int[] all = new int[rows];
        for (int i = 0; i < rows; i++) {
          all[i] = (int) (i % d1);
        }
        compiled.write(ids, all);
        if (!compiled.compute()) {
          throw new IllegalStateException("interrupted");
        }
        float[] row = new float[width];
        for (int i = 0; i < rows; i++) {
          compiled.readRow(copy, i, row);
          System.arraycopy(row, 0, values, i * width, width);
        }
      }
    }
    return values;
  }

  /** The bytes of a tensor as the file has them. */
  static byte[] bytes(Model model, TensorInfo tensor) {
    try (FileChannel channel =
        FileChannel.open(model.file().parts().get(tensor.part()), StandardOpenOption.READ)) {
      ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(tensor.bytes()));
      while (bytes.hasRemaining() && channel.read(bytes, tensor.offset() + bytes.position()) > 0) {}
      return bytes.array();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + tensor.name() + ": " + e.getMessage(), e);
    }
  }
}
