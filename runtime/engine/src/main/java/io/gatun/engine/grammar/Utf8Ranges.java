package io.gatun.engine.grammar;

import java.util.ArrayList;
import java.util.List;

/**
 * Writes sets of code points as sequences of byte ranges: {@code [80..7ff]} is {@code
 * [c2..df][80..bf]}.
 *
 * @source RFC 3629; the splitting is that of Russ Cox's and Andrew Gallant's UTF-8 automata
 */
final class Utf8Ranges {
  /** The last code points of one, two, three and four bytes. */
  private static final int[] LAST = {0x7f, 0x7ff, 0xffff, 0x10ffff};

  private static final int SURROGATES_FIRST = 0xd800;
  private static final int SURROGATES_LAST = 0xdfff;

  private Utf8Ranges() {}

  /** One byte of a sequence, both ends included. */
  record Bytes(int first, int last) {}

  /** All sequences of a set; no surrogates, which UTF-8 has not. */
  static List<List<Bytes>> of(CharSet set) {
    List<List<Bytes>> sequences = new ArrayList<>();
    CharSet real = set.minus(CharSet.range(SURROGATES_FIRST, SURROGATES_LAST));
    for (int i = 0; i < real.bounds().size(); i += 2) {
      split(real.bounds().get(i), real.bounds().get(i + 1) - 1, sequences);
    }
    return sequences;
  }

  private static void split(int first, int last, List<List<Bytes>> sequences) {
    for (int limit : LAST) {
      if (first <= limit && last > limit) {
        split(first, limit, sequences);
        split(limit + 1, last, sequences);
        return;
      }
    }
    int length = length(last);
    for (int i = 1; i < length; i++) {
      int mask = (1 << (6 * i)) - 1; // the bits of the last i bytes
      if ((first & ~mask) != (last & ~mask)) {
        if ((first & mask) != 0) {
          split(first, first | mask, sequences);
          split((first | mask) + 1, last, sequences);
          return;
        }
        if ((last & mask) != mask) {
          split(first, (last & ~mask) - 1, sequences);
          split(last & ~mask, last, sequences);
          return;
        }
      }
    }
    List<Bytes> sequence = new ArrayList<>();
    for (int i = 0; i < length; i++) {
      sequence.add(new Bytes(unit(first, length, i), unit(last, length, i)));
    }
    sequences.add(sequence);
  }

  private static int length(int codePoint) {
    int length = 1;
    while (codePoint > LAST[length - 1]) {
      length++;
    }
    return length;
  }

  private static int unit(int codePoint, int length, int i) {
    if (length == 1) {
      return codePoint;
    }
    int bits = codePoint >> (6 * (length - 1 - i));
    return i == 0 ? ((0xf00 >> length) & 0xff) | bits : 0x80 | (bits & 0x3f);
  }
}
