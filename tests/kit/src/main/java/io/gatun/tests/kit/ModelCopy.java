package io.gatun.tests.kit;

import io.gatun.model.gguf.GgufFile;
import io.gatun.model.gguf.GgufWriter;
import io.gatun.model.gguf.TensorInfo;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Copies models with other metadata. */
public final class ModelCopy {
  private ModelCopy() {}

  /** A copy of a model in one file, with one more text in its metadata. */
  public static Path with(Path source, Path target, String key, String value) throws IOException {
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
