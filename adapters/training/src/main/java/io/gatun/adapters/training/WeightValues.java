package io.gatun.adapters.training;

import io.gatun.model.Model;
import io.gatun.model.gguf.TensorInfo;
import io.gatun.tensor.StoredNumbers;
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
    return StoredNumbers.of(model.weights().find(name).orElseThrow());
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
