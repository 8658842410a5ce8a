package io.gatun.engine.grammar;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A set of Unicode code points. Immutable.
 *
 * @param bounds ascending: the first and one behind the last of each run
 */
record CharSet(List<Integer> bounds) {
  static final CharSet ALL = range(0, Character.MAX_CODE_POINT);
  static final CharSet NONE = new CharSet(List.of());

  CharSet {
    bounds = List.copyOf(bounds);
  }

  /** Both ends included. */
  static CharSet range(int first, int last) {
    return first > last ? NONE : new CharSet(List.of(first, last + 1));
  }

  static CharSet of(String characters) {
    CharSet set = NONE;
    for (int c : characters.codePoints().toArray()) {
      set = set.or(range(c, c));
    }
    return set;
  }

  CharSet or(CharSet other) {
    return merge(other, 1);
  }

  CharSet and(CharSet other) {
    return merge(other, 2);
  }

  CharSet not() {
    int end = Character.MAX_CODE_POINT + 1;
    List<Integer> flipped = new ArrayList<>(bounds);
    if (!flipped.isEmpty() && flipped.getFirst() == 0) {
      flipped.removeFirst();
    } else {
      flipped.addFirst(0);
    }
    if (!flipped.isEmpty() && flipped.getLast() == end) {
      flipped.removeLast();
    } else {
      flipped.addLast(end);
    }
    return new CharSet(flipped);
  }

  CharSet minus(CharSet other) {
    return and(other.not());
  }

  boolean contains(int codePoint) {
    int at = Arrays.binarySearch(bounds.stream().mapToInt(i -> i).toArray(), codePoint);
    return (at >= 0 ? at : -at - 2) % 2 == 0;
  }

  boolean isEmpty() {
    return bounds.isEmpty();
  }

  /** Where at least so many of both sets are. */
  private CharSet merge(CharSet other, int least) {
    List<Integer> merged = new ArrayList<>();
    int i = 0;
    int j = 0;
    while (i < bounds.size() || j < other.bounds.size()) {
      int a = i < bounds.size() ? bounds.get(i) : Integer.MAX_VALUE;
      int b = j < other.bounds.size() ? other.bounds.get(j) : Integer.MAX_VALUE;
      int at = Math.min(a, b);
      boolean before = i % 2 + j % 2 >= least;
      i += a == at ? 1 : 0;
      j += b == at ? 1 : 0;
      if (i % 2 + j % 2 >= least != before) {
        merged.add(at);
      }
    }
    return new CharSet(merged);
  }
}
