package io.gatun.server.models;

import io.gatun.LanguageModel;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The adapters that a model has whenever it is loaded, by the names that requests give.
 * Thread-safe.
 */
public final class ModelAdapters {
  private final Map<String, Path> files = new LinkedHashMap<>();

  /** Those of the beginning, by name. */
  public ModelAdapters(Map<String, Path> files) {
    this.files.putAll(files);
  }

  public synchronized List<String> names() {
    return List.copyOf(files.keySet());
  }

  /** One more from now on. */
  public synchronized void put(String name, Path file) {
    files.put(name, file);
  }

  public synchronized void remove(String name) {
    files.remove(name);
  }

  /** Brings all into a model that was just loaded. */
  synchronized void load(LanguageModel model) {
    files.forEach((name, file) -> model.adapters().load(file, name));
  }
}
