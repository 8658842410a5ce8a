package io.gatun.model.gguf;

import java.util.List;

/** A metadata value. Integers of every width are held as {@code long}, unsigned ones as such. */
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

  /** An array of integers or booleans; the array is owned by this value. */
  record Ints(int elementTypeId, long[] values) implements GgufValue {
    @Override
    public int typeId() {
      return 9;
    }
  }

  /** An array of floating-point numbers; the array is owned by this value. */
  record Floats(int elementTypeId, double[] values) implements GgufValue {
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
