package io.gatun.server.models;

import io.gatun.LanguageModel;
import io.gatun.model.MemoryPlan;
import io.gatun.server.http.ApiException;
import io.gatun.server.http.ApiException.Reason;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The models of a server. Each is loaded when it is first asked for; when memory for it is short,
 * those that nobody uses go, the one that was not used for longest first.
 *
 * <p>Thread-safe.
 */
public final class ServedModels implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("io.gatun.server");

  private final Map<String, Entry> byName = new LinkedHashMap<>();
  private final long bytesMax;
  private long uses;
  private boolean closed;

  /** A model, loaded or not. Guarded by the models' lock. */
  private static final class Entry {
    final ModelSource source;
    @Nullable AutoCloseable model;
    boolean loading;
    int users;
    long lastUse;

    Entry(ModelSource source) {
      this.source = source;
    }
  }

  /** A model as clients see it. */
  public record Shown(ModelSource source, boolean loaded, int users) {}

  /**
   * @param sources in the order in which they are listed; the first of a kind is the one that is
   *     meant where a request names none
   * @param bytesMax memory for all that are loaded at once
   * @throws IllegalArgumentException when two have one name, or one alone is too large
   */
  public ServedModels(List<ModelSource> sources, long bytesMax) {
    this.bytesMax = bytesMax;
    for (ModelSource source : sources) {
      if (source.bytes() > bytesMax) {
        throw new IllegalArgumentException(
            "model %s takes %s, but all models together may only take %s"
                .formatted(
                    source.name(), MemoryPlan.show(source.bytes()), MemoryPlan.show(bytesMax)));
      }
      if (byName.put(source.name(), new Entry(source)) != null) {
        throw new IllegalArgumentException("two models are named " + source.name());
      }
    }
    if (byName.isEmpty()) {
      throw new IllegalArgumentException("a server needs a model");
    }
  }

  /** All models. */
  public synchronized List<Shown> list() {
    List<Shown> shown = new ArrayList<>();
    byName.values().forEach(e -> shown.add(new Shown(e.source, e.model != null, e.users)));
    return shown;
  }

  /**
   * A model for as long as the result is open.
   *
   * @param name as a request gives it; the first of the kind if it gives none
   * @throws ApiException when there is no such model, it is of another kind, or memory is full of
   *     models that are in use
   */
  public ModelUse use(Optional<String> name, ModelKind kind)
      throws IOException, InterruptedException {
    Entry entry = find(name, kind);
    AutoCloseable loaded = acquire(entry);
    return new ModelUse(entry.source, loaded, () -> release(entry));
  }

  /** Those that are loaded and generate text, to look at; the caller closes them. */
  public synchronized List<ModelUse> loadedTexts() {
    List<ModelUse> loaded = new ArrayList<>();
    for (Entry entry : byName.values()) {
      if (entry.model != null && entry.source.kind() == ModelKind.TEXT) {
        entry.users++;
        loaded.add(new ModelUse(entry.source, entry.model, () -> release(entry)));
      }
    }
    return loaded;
  }

  private synchronized Entry find(Optional<String> name, ModelKind kind) {
    Optional<Entry> found =
        name.isPresent()
            ? Optional.ofNullable(byName.get(name.get()))
            : byName.values().stream().filter(e -> e.source.kind() == kind).findFirst();
    Entry entry =
        found.orElseThrow(() ->
            ApiException.of(
                    Reason.NOT_FOUND,
                    name.isPresent()
                        ? "there is no model of this name; GET /v1/models lists them"
                        : "no model of this server " + kind.does())
                .withCode("model_not_found"));
    if (entry.source.kind() != kind) {
      throw ApiException.field(
          "model",
          "%s %s, but this address is for one that %s"
              .formatted(entry.source.name(), entry.source.kind().does(), kind.does()));
    }
    return entry;
  }

  private AutoCloseable acquire(Entry entry) throws IOException, InterruptedException {
    synchronized (this) {
      while (entry.loading) {
        wait();
      }
      if (closed) {
        throw ApiException.of(Reason.UNAVAILABLE, "the server is shutting down");
      }
      if (entry.model != null) {
        return used(entry, entry.model);
      }
      makeRoom(entry);
      entry.loading = true;
    }
    return load(entry);
  }

  private AutoCloseable load(Entry entry) throws IOException {
    LOG.log(Level.INFO, "loading model " + entry.source.name());
    AutoCloseable loaded = null;
    try {
      loaded = loaded(entry.source);
    } finally {
      synchronized (this) {
        entry.loading = false;
        entry.model = loaded;
        notifyAll();
      }
    }
    synchronized (this) {
      return used(entry, loaded);
    }
  }

  private static AutoCloseable loaded(ModelSource source) throws IOException {
    AutoCloseable model = source.loading().load();
    if (model instanceof LanguageModel text) {
      try {
        source.adapters().load(text);
      } catch (RuntimeException e) {
        text.close();
        throw e;
      }
    }
    return model;
  }

  private AutoCloseable used(Entry entry, AutoCloseable model) {
    entry.users++;
    entry.lastUse = ++uses;
    return model;
  }

  private synchronized void release(Entry entry) {
    entry.users--;
    notifyAll();
  }

  /** Unloads what nobody uses until there is memory for one more. */
  private void makeRoom(Entry wanted) {
    while (bytesLoaded() + wanted.source.bytes() > bytesMax) {
      Entry idle =
          byName.values().stream()
              .filter(e -> e.model != null && e.users == 0)
              .min(Comparator.comparingLong(e -> e.lastUse))
              .orElseThrow(() ->
                  ApiException.of(
                          Reason.UNAVAILABLE,
                          "memory is full of models that are in use; come again")
                      .withCode("memory_full"));
      LOG.log(Level.INFO, "unloading model " + idle.source.name());
      unload(idle);
    }
  }

  private long bytesLoaded() {
    return byName.values().stream()
        .filter(e -> e.model != null || e.loading)
        .mapToLong(e -> e.source.bytes())
        .sum();
  }

  private static void unload(Entry entry) {
    AutoCloseable model = entry.model;
    entry.model = null;
    if (model != null) {
      try {
        model.close();
      } catch (Exception e) {
        LOG.log(Level.ERROR, "closing model " + entry.source.name() + " failed", e);
      }
    }
  }

  /** Closes all that are loaded, used or not. */
  @Override
  public synchronized void close() {
    closed = true;
    byName.values().forEach(ServedModels::unload);
  }
}
