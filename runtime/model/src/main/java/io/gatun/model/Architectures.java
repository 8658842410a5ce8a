package io.gatun.model;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeSet;

/** The architectures on the class path, by the names that files give them. Thread-safe. */
public final class Architectures {
  private static final Map<String, Architecture> BY_NAME = load();

  private Architectures() {}

  /** The architecture of a given {@code general.architecture}. */
  public static Optional<Architecture> find(String name) {
    return Optional.ofNullable(BY_NAME.get(name));
  }

  /** All names, sorted. */
  public static Set<String> names() {
    return new TreeSet<>(BY_NAME.keySet());
  }

  private static Map<String, Architecture> load() {
    Map<String, Architecture> byName = new HashMap<>();
    ClassLoader loader = Architectures.class.getClassLoader();
    for (Architecture architecture : ServiceLoader.load(Architecture.class, loader)) {
      for (String name : architecture.names()) {
        if (byName.put(name, architecture) != null) {
          throw new IllegalStateException("two architectures are named " + name);
        }
      }
    }
    return Map.copyOf(byName);
  }
}
