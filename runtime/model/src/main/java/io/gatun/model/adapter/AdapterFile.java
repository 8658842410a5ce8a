package io.gatun.model.adapter;

import io.gatun.model.ModelFormatException;
import io.gatun.model.UnsupportedModelException;
import io.gatun.model.gguf.GgufFile;
import io.gatun.model.gguf.TensorReader;
import io.gatun.tensor.CapacityException;
import io.gatun.tensor.DType;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Adapters as GGUF files: LoRAs and control vectors in the formats of llama.cpp, soft prompts in
 * one of our own (docs/adapters.md). Files are not trusted; whatever is wrong with one is an
 * exception that names the key or tensor.
 *
 * @source llama.cpp v0.4.0, src/llama-adapter.cpp and common/common.cpp
 */
public final class AdapterFile {
  private AdapterFile() {}

  /**
   * Reads an adapter.
   *
   * @throws ModelFormatException when the file is broken
   * @throws UnsupportedModelException when it is no adapter, or one of a kind that Gatun does not
   *     know
   * @throws CapacityException when the Java heap has no room for it
   */
  public static Adapter read(Path file) throws IOException {
    return read(file, nameOf(file));
  }

  /** {@link #read(Path)} under a name of one's own. */
  public static Adapter read(Path file, String name) throws IOException {
    GgufFile gguf = GgufFile.open(file);
    try (TensorReader reader = TensorReader.open(gguf)) {
      return new AdapterReader(file, gguf, reader).read(name);
    }
  }

  /**
   * Writes an adapter beside its place first, then moves it there.
   *
   * @param type F32, or F16 for half the size and about three digits
   */
  public static void write(Adapter adapter, DType type, Path file) throws IOException {
    if (type != DType.F32 && type != DType.F16) {
      throw new IllegalArgumentException("adapters are written as F32 or F16, not " + type);
    }
    AdapterWriter.of(adapter, type).write(file);
  }

  /** {@code legal.lora.gguf} is called legal.lora. */
  private static String nameOf(Path file) {
    String name = String.valueOf(file.getFileName());
    return name.endsWith(".gguf") ? name.substring(0, name.length() - 5) : name;
  }
}
