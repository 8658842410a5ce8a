package io.gatun.tests.kit;

import io.gatun.model.gguf.GgufFile;
import io.gatun.model.gguf.GgufValue;
import io.gatun.model.gguf.GgufWriter;
import io.gatun.model.gguf.TensorInfo;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Copies models with other metadata. */
public final class ModelCopy {
  private ModelCopy() {}

  /** GGUF's number of 32-bit integers. */
  private static final int INT32 = 5;

  /** A copy of a model in one file, with one more text in its metadata. */
  public static Path with(Path source, Path target, String key, String value) throws IOException {
    return with(source, target, key, new GgufValue.Text(value));
  }

  /** The same with a number. */
  public static Path with(Path source, Path target, String key, int value) throws IOException {
    return with(source, target, key, new GgufValue.Int(INT32, value));
  }

  private static Path with(Path source, Path target, String key, GgufValue value)
      throws IOException {
    GgufFile file = GgufFile.open(source);
    GgufWriter out = new GgufWriter();
    file.metadata().values().forEach(out::put);
    var _ = out.put(key, value);
    for (TensorInfo tensor : file.tensors()) {
      var _ =
          out.tensor(
              tensor.name(),
              tensor.type(),
              tensor.shape(),
              channel -> {
                try (FileChannel from = FileChannel.open(source, StandardOpenOption.READ)) {
                  long done = 0;
                  while (done < tensor.bytes()) {
                    done += from.transferTo(tensor.offset() + done, tensor.bytes() - done, channel);
                  }
                }
              });
    }
    out.write(target);
    return target;
  }
}
