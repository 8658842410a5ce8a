package io.gatun.adapters.training;

import java.util.ArrayList;
import java.util.List;

/**
 * The letters that GPT-2 shows bytes as: printable ones stand for themselves, the others for
 * letters from U+0100 on.
 */
final class ByteLetters {
  private static final List<String> LETTERS = letters();

  private ByteLetters() {}

  /** The letters of all bytes, by their unsigned value. */
  static List<String> all() {
    return LETTERS;
  }

  static String of(byte b) {
    return LETTERS.get(b & 0xff);
  }

  private static List<String> letters() {
    List<String> letters = new ArrayList<>();
    int other = 256;
    for (int b = 0; b < 256; b++) {
      boolean printable = (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
      letters.add(Character.toString(printable ? b : other++));
    }
    return List.copyOf(letters);
  }
}
