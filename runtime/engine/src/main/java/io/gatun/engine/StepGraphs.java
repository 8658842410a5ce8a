package io.gatun.engine;

import io.gatun.model.DecoderGraph;
import io.gatun.model.KvStore;
import io.gatun.model.Model;
import io.gatun.tensor.Backend;
import io.gatun.tensor.CompiledGraph;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The graphs of an engine, compiled once per shape and used again for every step of that shape:
 * while decoding, one graph lasts for 256 tokens.
 *
 * @owner the engine's thread
 */
final class StepGraphs implements AutoCloseable {
  /** Shapes that are kept: decode batches of a few sizes, and prompt chunks. */
  private static final int KEPT = 32;

  /** The same where each graph has device memory of its own. */
  private static final int KEPT_ON_GPU = 4;

  private final Model model;
  private final KvStore store;
  private final Backend backend;
  private final Map<DecoderGraph.Key, Compiled> graphs = new LinkedHashMap<>(64, 0.75f, true);
  private long built;

  /** A graph and its runnable form. */
  record Compiled(DecoderGraph graph, CompiledGraph runnable) {}

  StepGraphs(Model model, KvStore store, Backend backend) {
    this.model = model;
    this.store = store;
    this.backend = backend;
  }

  /** The graph of a shape. */
  Compiled get(DecoderGraph.Key key) {
    Compiled known = graphs.get(key);
    if (known != null) {
      return known;
    }
    if (graphs.size() >= (backend.sharesMemory() ? KEPT : KEPT_ON_GPU)) {
      DecoderGraph.Key oldest = graphs.keySet().iterator().next();
      Compiled dropped = graphs.remove(oldest);
      if (dropped != null) {
        dropped.runnable().close();
      }
    }
    DecoderGraph graph = DecoderGraph.build(model, store, key);
    Compiled compiled = new Compiled(graph, backend.compile(graph.graph()));
    graphs.put(key, compiled);
    built++;
    return compiled;
  }

  /** How many graphs were built so far. */
  long built() {
    return built;
  }

  @Override
  public void close() {
    graphs.values().forEach(g -> g.runnable().close());
    graphs.clear();
  }
}
