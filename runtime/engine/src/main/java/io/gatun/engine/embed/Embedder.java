package io.gatun.engine.embed;

import io.gatun.model.Model;
import io.gatun.model.Pooling;
import io.gatun.model.UnsupportedModelException;
import io.gatun.tensor.CapacityException;
import io.gatun.tensor.NativeThread;
import io.gatun.tensor.ThreadCount;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Makes vectors of texts: encoders and decoders alike, without a cache. Texts of about the same
 * length are computed together.
 *
 * <p>Thread-safe; one batch is computed at a time. The model stays open until its last owner closes
 * it.
 */
public final class Embedder implements AutoCloseable {
  private final Model model;
  private final EmbedderOptions options;
  private final Pooling pooling;
  private final NativeThread thread;
  private final TextVectors loop;
  private volatile boolean closed;

  private Embedder(Model model, EmbedderOptions options, Pooling pooling) {
    this.model = model;
    this.options = options;
    this.pooling = pooling;
    this.thread = new NativeThread("gatun-embedder");
    int threads = options.threads() > 0 ? options.threads() : ThreadCount.free().threads();
    try {
      this.loop = thread.call(() -> TextVectors.of(model, pooling, threads, options));
    } catch (RuntimeException e) {
      thread.close();
      throw e;
    }
  }

  /**
   * Starts one.
   *
   * @throws UnsupportedModelException when neither the file nor the options say how rows become a
   *     vector, or scores are wanted of a model without a classifier
   */
  public static Embedder open(Model model, EmbedderOptions options) {
    Pooling pooling =
        options
            .pooling()
            .or(model::pooling)
            .orElseThrow(() ->
                new UnsupportedModelException(
                    "%s says not how texts become vectors (%s.pooling_type); choose a pooling: mean, cls or last"
                        .formatted(model.name(), model.hyperparams().architecture())));
    if (pooling == Pooling.RANK
        && model.file().tensor("cls.weight").isEmpty()
        && model.file().tensor("cls.output.weight").isEmpty()) {
      throw new UnsupportedModelException(
          "%s has no classifier (cls.weight or cls.output.weight), so it cannot rank"
              .formatted(model.name()));
    }
    Model kept = model.retain();
    try {
      return new Embedder(kept, options, pooling);
    } catch (RuntimeException e) {
      kept.close();
      throw e;
    }
  }

  public Model model() {
    return model;
  }

  /** How rows become a vector. */
  public Pooling pooling() {
    return pooling;
  }

  /** The most tokens of a text. */
  public int contextTokens() {
    return model.hyperparams().contextLength();
  }

  /**
   * The vectors of texts, in their order and as the model gives them: not normalised.
   *
   * @param texts tokens of each, with what the vocabulary puts around a text
   * @throws CapacityException when a text is longer than the context and may not be cut
   * @throws IllegalArgumentException when a text is empty or a token not in the vocabulary
   */
  public List<float[]> embed(List<int[]> texts) {
    requireOpen();
    List<int[]> checked = texts.stream().map(this::fitted).toList();
    float[][] vectors = new float[texts.size()][];
    for (List<Integer> batch : batches(checked)) {
      if (Thread.currentThread().isInterrupted()) {
        throw new IllegalStateException("interrupted while texts were embedded");
      }
      List<int[]> together = batch.stream().map(checked::get).toList();
      List<float[]> results = thread.call(() -> loop.compute(together));
      for (int i = 0; i < batch.size(); i++) {
        vectors[batch.get(i)] = results.get(i);
      }
    }
    return Arrays.asList(vectors);
  }

  /** Indices of texts, shortest first, in groups of no more rows than a batch has. */
  private List<List<Integer>> batches(List<int[]> texts) {
    List<List<Integer>> batches = new ArrayList<>();
    List<Integer> byLength =
        IntStream.range(0, texts.size())
            .boxed()
            .sorted(Comparator.comparingInt(i -> texts.get(i).length))
            .toList();
    int rows = options.batchRows();
    for (int index : byLength) {
      int length = texts.get(index).length;
      if (batches.isEmpty() || rows + length > options.batchRows()) {
        batches.add(new ArrayList<>());
        rows = 0;
      }
      batches.getLast().add(index);
      rows += length;
    }
    return batches;
  }

  private int[] fitted(int[] text) {
    if (text.length == 0) {
      throw new IllegalArgumentException("a text without a token has no vector");
    }
    for (int token : text) {
      if (token < 0 || token >= model.vocabularySize()) {
        throw new IllegalArgumentException(
            "token %d is not in the vocabulary of %d".formatted(token, model.vocabularySize()));
      }
    }
    if (text.length <= contextTokens()) {
      return text;
    }
    if (!options.truncate()) {
      throw new CapacityException(
          "a text has %d tokens, %s takes %d; cut it, or ask for truncation"
              .formatted(text.length, model.name(), contextTokens()));
    }
    int[] cut = Arrays.copyOf(text, contextTokens());
    cut[cut.length - 1] = text[text.length - 1]; // what ends a text, for models that look there
    return cut;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("already closed: embedder of " + model.name());
    }
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      try {
        if (!thread.dead()) {
          thread.call(() -> {
            loop.close();
            return true;
          });
        }
      } finally {
        thread.close();
        model.close();
      }
    }
  }
}
