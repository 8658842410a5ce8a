package io.gatun.model.gguf;

import io.gatun.model.ModelFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;

/**
 * Reads a file from its beginning, little-endian, never past its end: every read is checked against
 * the bytes that are left before anything is allocated for it.
 */
final class ByteCursor {
  private final String file;
  private final SeekableByteChannel channel;
  private final long size;
  private final ByteBuffer window = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
  private long windowStart;

  ByteCursor(String file, SeekableByteChannel channel) throws IOException {
    this.file = file;
    this.channel = channel;
    this.size = channel.size();
    window.limit(0);
  }

  long position() {
    return windowStart + window.position();
  }

  long remaining() {
    return size - position();
  }

  long size() {
    return size;
  }

  int u8(String what) throws IOException {
    need(1, what);
    return window.get() & 0xff;
  }

  short i16(String what) throws IOException {
    need(2, what);
    return window.getShort();
  }

  int i32(String what) throws IOException {
    need(4, what);
    return window.getInt();
  }

  long i64(String what) throws IOException {
    need(8, what);
    return window.getLong();
  }

  /**
   * A count of things of which each needs at least {@code bytesEach} bytes, so a count that the
   * file cannot hold is refused before anything is allocated for it.
   */
  int count(boolean wide, long bytesEach, String what) throws IOException {
    long count = wide ? i64(what) : i32(what) & 0xffffffffL;
    if (count < 0 || count > remaining() / bytesEach || count > Integer.MAX_VALUE - 16) {
      throw broken(
          "%s is %s but only %d bytes are left"
              .formatted(what, Long.toUnsignedString(count), remaining()));
    }
    return (int) count;
  }

  /** A string of bytes with its length before it. Invalid UTF-8 becomes replacement characters. */
  String text(boolean wide, int bytesMax, String what) throws IOException {
    int length = count(wide, 1, "length of " + what);
    if (length > bytesMax) {
      throw broken("%s has %d bytes, expected at most %d".formatted(what, length, bytesMax));
    }
    return new String(bytes(length, what), StandardCharsets.UTF_8);
  }

  /** So many bytes as they are. */
  byte[] bytes(int length, String what) throws IOException {
    if (length > remaining()) {
      throw broken("%s needs %d bytes, %d are left".formatted(what, length, remaining()));
    }
    byte[] bytes = new byte[length];
    read(bytes, 0, length, what);
    return bytes;
  }

  /** So many bytes into a part of an array. */
  void read(byte[] into, int start, int length, String what) throws IOException {
    int done = 0;
    while (done < length) {
      need(1, what);
      int part = Math.min(length - done, window.remaining());
      window.get(into, start + done, part);
      done += part;
    }
  }

  ModelFormatException broken(String problem) {
    return new ModelFormatException(
        "%s: %s (at byte %d of %d)".formatted(file, problem, position(), size));
  }

  private void need(int bytes, String what) throws IOException {
    if (window.remaining() >= bytes) {
      return;
    }
    if (remaining() < bytes) {
      throw broken("the file ends inside " + what);
    }
    windowStart = position();
    window.compact();
    channel.position(windowStart + window.position());
    while (window.position() < bytes) {
      if (channel.read(window) < 0) {
        throw broken("the file became shorter while it was read");
      }
    }
    window.flip();
  }
}
