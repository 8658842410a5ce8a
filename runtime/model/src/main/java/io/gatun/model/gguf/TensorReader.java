package io.gatun.model.gguf;

import io.gatun.model.ModelFormatException;
import io.gatun.tensor.CapacityException;
import io.gatun.tensor.Quantization;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads the numbers of a GGUF file's tensors, of any type, as floats: some rows at a time, so that
 * a model need not fit into memory.
 *
 * @owner whoever opened it closes it; one thread
 */
public final class TensorReader implements AutoCloseable {
  /** Bytes of a file that are held at once. */
  private static final int CHUNK_BYTES = 1 << 22;

  private static final int VALUES_MAX = Integer.MAX_VALUE - 16;

  private final GgufFile file;
  private final List<FileChannel> channels = new ArrayList<>();

  private TensorReader(GgufFile file) {
    this.file = file;
  }

  /** Opens all parts of a file. */
  public static TensorReader open(GgufFile file) throws IOException {
    TensorReader reader = new TensorReader(file);
    try {
      for (Path part : file.parts()) {
        reader.channels.add(FileChannel.open(part, StandardOpenOption.READ));
      }
      return reader;
    } catch (IOException e) {
      reader.close();
      throw e;
    }
  }

  /**
   * All values of a tensor, the first length innermost.
   *
   * @throws CapacityException when the heap has no room for them
   */
  public float[] values(TensorInfo tensor) throws IOException {
    long count = tensor.shape().elements();
    long heap = Runtime.getRuntime().maxMemory();
    if (count > VALUES_MAX || 4 * count > heap) {
      throw new CapacityException(
          "%s: %s %s needs %d bytes of the Java heap's %d; raise it with -Xmx"
              .formatted(name(tensor), tensor.name(), tensor.shape(), 4 * count, heap));
    }
    float[] values = new float[(int) count];
    long rowBytes = tensor.type().rowBytes(tensor.shape().d0());
    int rowLength = (int) tensor.shape().d0();
    int together = (int) Math.clamp(CHUNK_BYTES / rowBytes, 1, tensor.shape().rows());
    for (long row = 0; row < tensor.shape().rows(); row += together) {
      int some = (int) Math.min(together, tensor.shape().rows() - row);
      float[] part = rows(tensor, row, some);
      System.arraycopy(part, 0, values, (int) (row * rowLength), part.length);
    }
    return values;
  }

  /** Some rows of a tensor. */
  public float[] rows(TensorInfo tensor, long first, int count) throws IOException {
    long rowBytes = tensor.type().rowBytes(tensor.shape().d0());
    if (first < 0 || count < 1 || first > tensor.shape().rows() - count) {
      throw new IllegalArgumentException(
          "rows %d to %d of %s, which has %d"
              .formatted(first, first + count, tensor.name(), tensor.shape().rows()));
    }
    if (rowBytes * count > VALUES_MAX || tensor.shape().d0() * count > VALUES_MAX) {
      throw new CapacityException(
          "%s: %d rows of %s %s are more than an array holds"
              .formatted(name(tensor), count, tensor.name(), tensor.shape()));
    }
    byte[] bytes = new byte[(int) (rowBytes * count)];
    read(tensor, first * rowBytes, ByteBuffer.wrap(bytes));
    return Quantization.dequantize(tensor.type(), bytes);
  }

  /** Copies a tensor's bytes as they are. */
  public void copy(TensorInfo tensor, WritableByteChannel target) throws IOException {
    FileChannel source = channels.get(tensor.part());
    long done = 0;
    while (done < tensor.bytes()) {
      long some = source.transferTo(tensor.offset() + done, tensor.bytes() - done, target);
      if (some <= 0) {
        throw shorter(tensor);
      }
      done += some;
    }
  }

  private void read(TensorInfo tensor, long offset, ByteBuffer target) throws IOException {
    FileChannel source = channels.get(tensor.part());
    while (target.hasRemaining()) {
      if (source.read(target, tensor.offset() + offset + target.position()) < 0) {
        throw shorter(tensor);
      }
    }
  }

  private ModelFormatException shorter(TensorInfo tensor) {
    return new ModelFormatException(
        "%s became shorter while %s was read".formatted(name(tensor), tensor.name()));
  }

  private Path name(TensorInfo tensor) {
    return file.parts().get(tensor.part());
  }

  @Override
  public void close() throws IOException {
    for (FileChannel channel : channels) {
      channel.close();
    }
  }
}
