package io.gatun.engine;

import io.gatun.model.DecoderGraph;
import io.gatun.model.KvStore;
import io.gatun.model.Model;
import io.gatun.tensor.Backend;
import io.gatun.tensor.CompiledGraph;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The graphs of an engine, compiled once per shape and used again for every step of that shape:
 * while decoding, one graph lasts for 256 tokens.
 *
 * @owner the engine's thread
 */
final class StepGraphs implements AutoCloseable {
  private final Model model;
  private final KvStore store;
  private final Backend backend;
  private final GraphCache<Key, Compiled> graphs;

  /** The shape of a step, and which adapters it has. */
  record Key(DecoderGraph.Key shape, AdapterGraph.Key adapters) {}

  /** A graph and its runnable form. */
  record Compiled(DecoderGraph graph, CompiledGraph runnable, Optional<AdapterGraph> adapters) {}

  StepGraphs(Model model, KvStore store, Backend backend) {
    this.model = model;
    this.store = store;
    this.backend = backend;
    this.graphs = new GraphCache<>(backend, Compiled::runnable);
  }

  /** The graph of a shape without adapters. */
  Compiled get(DecoderGraph.Key shape) {
    return get(shape, AdapterGraph.Key.NONE, Optional.empty());
  }

  /**
   * The graph of a shape.
   *
   * @param bank of the adapters, unless there are none
   */
  Compiled get(DecoderGraph.Key shape, AdapterGraph.Key adapters, Optional<AdapterBank> bank) {
    Key key = new Key(shape, adapters);
    return graphs.get(key, () -> build(key, bank));
  }

  private Compiled build(Key key, Optional<AdapterBank> bank) {
    if (bank.isEmpty()) {
      DecoderGraph graph = DecoderGraph.build(model, store, key.shape());
      return new Compiled(graph, backend.compile(graph.graph()), Optional.empty());
    }
    List<AdapterGraph> changes = new ArrayList<>();
    DecoderGraph graph =
        DecoderGraph.build(
            model,
            store,
            key.shape(),
            g -> {
              changes.add(
                  new AdapterGraph(
                      g, bank.get(), key.adapters(), key.shape().rows(), key.shape().outputs()));
              return changes.getFirst();
            });
    return new Compiled(graph, backend.compile(graph.graph()), Optional.of(changes.getFirst()));
  }

  /** Forgets the graphs with adapters, whose memory is about to go. */
  void dropAdapters() {
    graphs.drop(graph -> graph.adapters().isPresent());
  }

  /** How many graphs were built so far. */
  long built() {
    return graphs.built();
  }

  @Override
  public void close() {
    graphs.close();
  }
}
