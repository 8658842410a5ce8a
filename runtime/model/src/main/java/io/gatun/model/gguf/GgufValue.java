package io.gatun.model.gguf;

import java.util.List;

/**
 * A metadata value. Single integers of every width are held as {@code long}, unsigned ones as such;
 * arrays take no more memory than in the file.
 */
public sealed interface GgufValue {
  /** The type number that the file uses. */
  int typeId();

  record Int(int typeId, long value) implements GgufValue {}

  record Float(int typeId, double value) implements GgufValue {}

  record Bool(boolean value) implements GgufValue {
    @Override
    public int typeId() {
      return 7;
    }
  }

  record Text(String value) implements GgufValue {
    @Override
    public int typeId() {
      return 8;
    }
  }

  /** An array of integers or booleans, as the file's bytes. */
  record Ints(int elementTypeId, PackedNumbers values) implements GgufValue {
    public Ints(int elementTypeId, long[] values) {
      this(elementTypeId, PackedNumbers.of(elementTypeId, values));
    }

    @Override
    public int typeId() {
      return 9;
    }
  }

  /** An array of floating-point numbers, as the file's bytes. */
  record Floats(int elementTypeId, PackedNumbers values) implements GgufValue {
    public Floats(int elementTypeId, double[] values) {
      this(elementTypeId, PackedNumbers.of(elementTypeId, values));
    }

    @Override
    public int typeId() {
      return 9;
    }
  }

  /** An array of strings. */
  record Texts(List<String> values) implements GgufValue {
    @Override
    public int typeId() {
      return 9;
    }
  }

  /** An array of arrays. */
  record Nested(List<GgufValue> values) implements GgufValue {
    @Override
    public int typeId() {
      return 9;
    }
  }
}
