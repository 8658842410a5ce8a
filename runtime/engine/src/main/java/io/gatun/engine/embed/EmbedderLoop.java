package io.gatun.engine.embed;

import io.gatun.engine.GraphCache;
import io.gatun.model.Architecture;
import io.gatun.model.AttentionWindow;
import io.gatun.model.EmbeddingGraph;
import io.gatun.model.Hyperparams;
import io.gatun.model.Model;
import io.gatun.model.Pooling;
import io.gatun.tensor.Backend;
import io.gatun.tensor.CompiledGraph;
import io.gatun.tensor.Kernels;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes vectors with Gatun's own graphs, of which it keeps one for each shape.
 *
 * @owner the embedder's thread
 */
final class EmbedderLoop implements TextVectors {
  /** Graphs have a multiple of so many rows, so that few are built. */
  private static final int ROWS_STEP = 32;

  private final Model model;
  private final Pooling pooling;
  private final Backend backend;
  private final GraphCache<EmbeddingGraph.Key, Compiled> graphs;

  private record Compiled(EmbeddingGraph graph, CompiledGraph runnable) {}

  EmbedderLoop(Model model, Pooling pooling, int threads, Kernels kernels) {
    this.model = model;
    this.pooling = pooling;
    backend = Backend.open(threads, model.devices().gpus(), kernels);
    graphs = new GraphCache<>(backend, Compiled::runnable);
    try {
      var _ = compiled(new EmbeddingGraph.Key(ROWS_STEP, 1)); // what the file lacks shows now
    } catch (RuntimeException e) {
      backend.close();
      throw e;
    }
  }

  @Override
  public List<float[]> compute(List<int[]> texts) {
    int tokens = texts.stream().mapToInt(t -> t.length).sum();
    int rows = Math.ceilDiv(tokens, ROWS_STEP) * ROWS_STEP;
    int count = Integer.highestOneBit(2 * texts.size() - 1); // the next power of two
    Compiled compiled = compiled(new EmbeddingGraph.Key(rows, count));
    CompiledGraph runnable = compiled.runnable();
    runnable.begin();
    write(compiled, new TextBatch(texts, rows), count);
    if (!runnable.compute()) {
      throw new IllegalStateException("the computation was stopped");
    }
    List<float[]> vectors = new ArrayList<>();
    int width = Math.toIntExact(compiled.graph().vectors().shape().d0());
    for (int i = 0; i < texts.size(); i++) {
      float[] vector = new float[width];
      runnable.readRow(compiled.graph().vectors(), i, vector);
      vectors.add(vector);
    }
    backend.pause();
    return vectors;
  }

  private void write(Compiled compiled, TextBatch batch, int count) {
    EmbeddingGraph graph = compiled.graph();
    CompiledGraph runnable = compiled.runnable();
    Architecture architecture = model.architecture();
    Hyperparams h = model.hyperparams();
    boolean causal = architecture.causal() && h.keys().flag("attention.causal", true);
    boolean distances = architecture.distances(h);
    runnable.write(graph.tokens(), batch.tokens());
    if (graph.graph().hasInput("positions")) {
      runnable.write(graph.positions(), batch.positions());
    }
    if (graph.graph().hasInput("temperatures")) {
      architecture
          .temperature(h)
          .ifPresent(t -> runnable.write(graph.temperatures(), t.at(batch.positions())));
    }
    int cells = batch.rows() * batch.rows();
    if (graph.graph().hasInput("mask")) {
      runnable.write(graph.mask(), batch.mask(causal, AttentionWindow.NONE, distances), cells);
    }
    if (graph.graph().hasInput("sliding_mask")) {
      short[] mask = batch.mask(causal, h.window(), distances);
      runnable.write(graph.slidingMask(), mask, cells);
    }
    if (EmbeddingGraph.averages(model, pooling)) {
      runnable.write(graph.shares(), batch.shares(count));
    } else {
      runnable.write(graph.rows(), batch.standing(first(), count));
    }
  }

  private boolean first() {
    return switch (pooling) {
      case CLS -> true;
      case RANK -> !model.architecture().causal();
      case LAST, MEAN -> false;
    };
  }

  private Compiled compiled(EmbeddingGraph.Key key) {
    return graphs.get(
        key,
        () -> {
          EmbeddingGraph graph = EmbeddingGraph.build(model, key, pooling);
          return new Compiled(graph, backend.compile(graph.graph()));
        });
  }

  @Override
  public void close() {
    graphs.close();
    backend.close();
  }
}
