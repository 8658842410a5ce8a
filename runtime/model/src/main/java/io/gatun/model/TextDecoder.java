package io.gatun.model;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Set;

/**
 * Turns tokens into text one by one. A character whose bytes are spread over several tokens appears
 * with the last of them; bytes that are no UTF-8 become U+FFFD.
 *
 * <p>Not thread-safe; use one per text.
 */
public final class TextDecoder {
  private final Vocabulary vocabulary;
  private final Set<Integer> shown;
  private final CharsetDecoder utf8 =
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPLACE)
          .onUnmappableCharacter(CodingErrorAction.REPLACE);

  /** Bytes of an unfinished character: at most 3. */
  private byte[] pending = {};

  public TextDecoder(Vocabulary vocabulary) {
    this(vocabulary, Set.of());
  }

  /**
   * @param shown special tokens that appear by their names
   */
  public TextDecoder(Vocabulary vocabulary, Set<Integer> shown) {
    this.vocabulary = vocabulary;
    this.shown = Set.copyOf(shown);
  }

  /** The text that this token completes; may be empty. */
  public String accept(int token) {
    byte[] bytes = vocabulary.bytes(token);
    boolean name = bytes.length == 0 && shown.contains(token);
    return decode(name ? vocabulary.show(token).getBytes(StandardCharsets.UTF_8) : bytes, false);
  }

  /** What is left of an unfinished character, as U+FFFD; empty otherwise. */
  public String finish() {
    return decode(new byte[0], true);
  }

  private String decode(byte[] bytes, boolean end) {
    if (bytes.length == 0 && !end) {
      return "";
    }
    ByteBuffer in = ByteBuffer.allocate(pending.length + bytes.length).put(pending).put(bytes);
    in.flip();
    CharBuffer out = CharBuffer.allocate(in.remaining() + 2);
    utf8.reset();
    var _ = utf8.decode(in, out, end);
    if (end) {
      var _ = utf8.flush(out);
    }
    pending = new byte[in.remaining()];
    in.get(pending);
    return out.flip().toString();
  }
}
