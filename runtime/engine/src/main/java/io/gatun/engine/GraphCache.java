package io.gatun.engine;

import io.gatun.tensor.Backend;
import io.gatun.tensor.CompiledGraph;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Graphs by their shape, compiled once; the one that was not used for longest makes room for a new
 * one.
 *
 * @param <K> what distinguishes graphs
 * @param <G> a graph with its runnable form
 * @owner the thread that computes
 */
public final class GraphCache<K, G> implements AutoCloseable {
  /** Shapes that are kept: decode batches of a few sizes, and prompt chunks. */
  private static final int KEPT = 32;

  /** The same where each graph has device memory of its own. */
  private static final int KEPT_ON_GPU = 4;

  private final Map<K, G> graphs = new LinkedHashMap<>(64, 0.75f, true);
  private final Function<G, CompiledGraph> runnable;
  private final int most;
  private long built;

  /**
   * An empty one.
   *
   * @param runnable what of a graph is closed when it goes
   */
  public GraphCache(Backend backend, Function<G, CompiledGraph> runnable) {
    this.runnable = runnable;
    this.most = backend.sharesMemory() ? KEPT : KEPT_ON_GPU;
  }

  /** The graph of a shape, built if it is not there. */
  public G get(K key, Supplier<G> build) {
    G known = graphs.get(key);
    if (known != null) {
      return known;
    }
    if (graphs.size() >= most) {
      K oldest = graphs.keySet().iterator().next();
      G dropped = graphs.remove(oldest);
      if (dropped != null) {
        close(dropped);
      }
    }
    G fresh = build.get();
    graphs.put(key, fresh);
    built++;
    return fresh;
  }

  /** Forgets some. */
  public void drop(Predicate<G> unwanted) {
    graphs
        .values()
        .removeIf(graph -> {
          boolean drop = unwanted.test(graph);
          if (drop) {
            close(graph);
          }
          return drop;
        });
  }

  /** How many graphs were built so far. */
  public long built() {
    return built;
  }

  @Override
  public void close() {
    drop(_ -> true);
  }

  private void close(G graph) {
    runnable.apply(graph).close();
  }
}
