package io.gatun;

import io.gatun.engine.Engine;
import io.gatun.model.adapter.Adapter;
import io.gatun.model.adapter.AdapterFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;

/**
 * The adapters of a running model, by name. Any of them can act on any request ({@link
 * GenerateOptions#withAdapter}, {@link ChatSession#with}): requests with different ones share their
 * steps. An adapter that is in memory takes effect at once; others are brought there first, in
 * place of the one that was not used for longest.
 *
 * <p>Thread-safe.
 */
public final class Adapters {
  private final Engine engine;
  private final Map<String, Adapter> byName = new LinkedHashMap<>();

  Adapters(Engine engine) {
    this.engine = engine;
  }

  /**
   * Reads an adapter from a GGUF file, and adds it by the file's name.
   *
   * @throws io.gatun.model.ModelFormatException when the file is broken
   * @throws io.gatun.model.UnsupportedModelException when it is no adapter
   * @see #add
   */
  public Adapter load(Path file) {
    try {
      return add(AdapterFile.read(file));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  /** {@link #load(Path)} under a name of one's own. */
  public Adapter load(Path file, String name) {
    try {
      return add(AdapterFile.read(file, name));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  /**
   * Adds an adapter and brings it into memory.
   *
   * @throws io.gatun.tensor.ShapeException when it is for another model
   * @throws io.gatun.tensor.CapacityException when memory for adapters is full of those in use
   * @throws IllegalArgumentException when another one has its name
   */
  public Adapter add(Adapter adapter) {
    synchronized (byName) {
      if (byName.containsKey(adapter.name())) {
        throw new IllegalArgumentException("there is an adapter " + adapter.name() + " already");
      }
      engine.preload(adapter);
      byName.put(adapter.name(), adapter);
      return adapter;
    }
  }

  /**
   * An adapter by name.
   *
   * @throws NoSuchElementException when there is none
   */
  public Adapter get(String name) {
    synchronized (byName) {
      Adapter adapter = byName.get(name);
      if (adapter == null) {
        throw new NoSuchElementException(
            "there is no adapter %s, only %s".formatted(name, byName.keySet()));
      }
      return adapter;
    }
  }

  /** All adapters in the order they came. */
  public List<Adapter> list() {
    synchronized (byName) {
      return List.copyOf(byName.values());
    }
  }

  /**
   * Removes an adapter and frees its place.
   *
   * @throws IllegalStateException while a running request uses it
   */
  public void remove(Adapter adapter) {
    synchronized (byName) {
      engine.evict(adapter);
      byName.values().remove(adapter);
    }
  }
}
