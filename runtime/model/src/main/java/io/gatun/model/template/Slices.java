package io.gatun.model.template;

import java.util.ArrayList;
import java.util.List;

/** {@code a[start:stop:step]} by Python's rules: ends beyond the sequence are its ends. */
final class Slices {
  private Slices() {}

  static Value slice(Value of, Value start, Value stop, Value step, Budget budget) {
    return switch (of) {
      case Value.Items items ->
          new Value.Items(cut(items.values(), start, stop, step, budget), items.tuple());
      case Value.Str(String text, boolean safe) -> {
        budget.chars(text.length());
        yield new Value.Str(cut(text, start, stop, step, budget), safe);
      }
      case Value.Undefined(String what) ->
          throw new Fault(what + " is undefined, so no part of it can be taken");
      default -> new Value.Undefined("a part of " + Types.name(of));
    };
  }

  private static String cut(String text, Value start, Value stop, Value step, Budget budget) {
    int[] points = text.codePoints().toArray();
    StringBuilder out = new StringBuilder();
    for (int i : places(points.length, start, stop, step, budget)) {
      out.appendCodePoint(points[i]);
    }
    return out.toString();
  }

  private static List<Value> cut(
      List<Value> values, Value start, Value stop, Value step, Budget budget) {
    List<Value> cut = new ArrayList<>();
    for (int i : places(values.size(), start, stop, step, budget)) {
      cut.add(values.get(i));
    }
    return cut;
  }

  private static int[] places(int length, Value start, Value stop, Value step, Budget budget) {
    int by = step == Value.None.NONE ? 1 : Numbers.index(step, "a slice's step");
    if (by == 0) {
      throw new Fault("a slice's step is 0");
    }
    int from = by > 0 ? 0 : length - 1;
    int to = by > 0 ? length : -1;
    if (start != Value.None.NONE) {
      from = bound(Numbers.index(start, "a slice's start"), length, by);
    }
    if (stop != Value.None.NONE) {
      to = bound(Numbers.index(stop, "a slice's stop"), length, by);
    }
    int count =
        by > 0
            ? Math.ceilDiv(to - from, by)
            : Math.ceilDiv(from - to, -Math.max(by, -Integer.MAX_VALUE));
    int[] places = new int[Math.max(count, 0)];
    budget.chars(places.length);
    for (int i = 0; i < places.length; i++) {
      places[i] = from + i * by;
    }
    return places;
  }

  private static int bound(int index, int length, int by) {
    int place = index < 0 ? index + length : index;
    return by > 0 ? Math.clamp(place, 0, length) : Math.clamp(place, -1, length - 1);
  }
}
