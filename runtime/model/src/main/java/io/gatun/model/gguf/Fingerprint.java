package io.gatun.model.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * Tells models apart without reading them whole: SHA-256 over all headers, all files' sizes and the
 * ends of every tensor. Two files that differ only in the middle of tensors count as the same,
 * which no quantiser or trainer makes.
 */
public final class Fingerprint {
  /** Bytes of each end of a tensor. */
  private static final int END_BYTES = 4096;

  private Fingerprint() {}

  /** The 32 bytes of a model. */
  public static byte[] of(GgufFile file) throws IOException {
    MessageDigest digest = sha256();
    for (int part = 0; part < file.parts().size(); part++) {
      try (FileChannel channel =
          FileChannel.open(file.parts().get(part), StandardOpenOption.READ)) {
        digest.update(ByteBuffer.allocate(8).putLong(0, channel.size()));
        add(digest, channel, 0, headerEnd(file, part, channel.size()));
        for (TensorInfo tensor : file.tensors()) {
          if (tensor.part() == part) {
            long end = tensor.offset() + tensor.bytes();
            add(digest, channel, tensor.offset(), Math.min(end, tensor.offset() + END_BYTES));
            add(digest, channel, Math.max(tensor.offset(), end - END_BYTES), end);
          }
        }
      }
    }
    return digest.digest();
  }

  private static long headerEnd(GgufFile file, int part, long size) {
    return file.tensors().stream()
        .filter(t -> t.part() == part)
        .mapToLong(TensorInfo::offset)
        .min()
        .orElse(size);
  }

  private static void add(MessageDigest digest, FileChannel channel, long from, long to)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
    for (long at = from; at < to; ) {
      buffer.clear().limit((int) Math.min(buffer.capacity(), to - at));
      int read = channel.read(buffer, at);
      if (read < 0) {
        return;
      }
      digest.update(buffer.flip());
      at += read;
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
