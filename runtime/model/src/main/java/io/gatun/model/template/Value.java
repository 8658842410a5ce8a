package io.gatun.model.template;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A value as templates know it: Python's types, no more of Java than that. */
sealed interface Value {
  /** What is not there; most uses of it are errors, printing and testing it are none. */
  record Undefined(String what) implements Value {}

  enum None implements Value {
    NONE
  }

  record Bool(boolean value) implements Value {
    static final Bool TRUE = new Bool(true);
    static final Bool FALSE = new Bool(false);

    static Bool of(boolean value) {
      return value ? TRUE : FALSE;
    }
  }

  record Int(BigInteger value) implements Value {
    static Int of(long value) {
      return new Int(BigInteger.valueOf(value));
    }
  }

  record Real(double value) implements Value {}

  /** A string; {@code safe} when it is marked as needing no HTML escapes. */
  record Str(String text, boolean safe) implements Value {
    Str(String text) {
      this(text, false);
    }
  }

  /** A list, or a tuple. Templates may change lists. */
  final class Items implements Value {
    private final List<Value> values;
    private final boolean tuple;

    Items(List<Value> values, boolean tuple) {
      this.values = values;
      this.tuple = tuple;
    }

    static Items list(Collection<? extends Value> values) {
      return new Items(new ArrayList<>(values), false);
    }

    static Items tuple(Value... values) {
      return new Items(List.of(values), true);
    }

    List<Value> values() {
      return values;
    }

    boolean tuple() {
      return tuple;
    }
  }

  /** A dictionary in order of insertion; keys are equal as in Python, where 1, 1.0 and True are. */
  final class Dict implements Value {
    private final Map<Object, Entry> entries = new LinkedHashMap<>();

    record Entry(Value key, Value value) {}

    Optional<Value> get(Object key) {
      return Optional.ofNullable(entries.get(key)).map(Entry::value);
    }

    Optional<Value> get(String key) {
      return get((Object) key);
    }

    void put(Object hashed, Value key, Value value) {
      Entry old = entries.get(hashed);
      entries.put(hashed, new Entry(old == null ? key : old.key(), value));
    }

    void put(String key, Value value) {
      put(key, new Str(key), value);
    }

    @Nullable Entry remove(Object key) {
      return entries.remove(key);
    }

    boolean has(Object key) {
      return entries.containsKey(key);
    }

    Collection<Entry> entries() {
      return entries.values();
    }

    List<Value> keys() {
      return entries.values().stream().map(Entry::key).toList();
    }
  }

  /** What {@code namespace()} makes: attributes that inner scopes may set. */
  record Namespace(Map<String, Value> attributes) implements Value {}

  /** Something to call. */
  record Function(String name, Builtin builtin, Value self) implements Value {
    Function(String name, Builtin builtin) {
      this(name, builtin, None.NONE);
    }
  }

  /** The variable {@code loop} in the body of a {@code for}. */
  final class Loop implements Value {
    final List<Value> items;
    final int depth;
    final @Nullable Builtin recurse;
    int index;
    @Nullable Value changed;

    Loop(List<Value> items, int depth, @Nullable Builtin recurse) {
      this.items = items;
      this.depth = depth;
      this.recurse = recurse;
    }
  }
}
