package io.gatun.engine.embed;

import io.gatun.model.Model;
import io.gatun.model.Pooling;
import java.util.List;

/**
 * The native side of an {@link Embedder}: Gatun's own graphs, or libllama for models that Gatun has
 * no graph of.
 *
 * @owner the embedder's thread
 */
interface TextVectors extends AutoCloseable {
  /** The one for a model. */
  static TextVectors of(Model model, Pooling pooling, int threads, EmbedderOptions options) {
    return model.llama().isPresent()
        ? new LlamaVectors(model, model.llama().get(), pooling, threads, options.batchRows())
        : new EmbedderLoop(model, pooling, threads, options.kernels());
  }

  /** The vectors of a batch of texts, in their order. */
  List<float[]> compute(List<int[]> texts);

  @Override
  void close();
}
