package io.gatun.model;

import io.gatun.model.gguf.Fingerprint;
import io.gatun.model.gguf.GgufFile;
import io.gatun.tensor.CapacityException;
import io.gatun.tensor.StoredTensor;
import io.gatun.tensor.TensorStore;
import io.gatun.tensor.ThreadCount;
import io.gatun.tensor.llama.LlamaModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executors;
import java.util.function.BiConsumer;

/**
 * A model in memory: its file, numbers, weights and vocabulary. Read-only and thread-safe.
 *
 * @owner whoever loaded it closes it; engines {@link #retain} it, and the last {@link #close} frees
 */
public final class Model implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("io.gatun.model");

  private final GgufFile file;
  private final Hyperparams hyperparams;
  private final Architecture architecture;
  private final LayerDevices devices;
  private final MemoryPlan plan;
  private final GraphChoice choice;
  private final ModelWeights weights;
  private final Vocabulary vocabulary;
  private int references = 1;

  private Model(Loading loading, ModelWeights weights, Vocabulary vocabulary) {
    this.file = loading.file();
    this.hyperparams = loading.hyperparams();
    this.architecture = loading.architecture();
    this.devices = loading.devices();
    this.plan = loading.plan();
    this.choice = loading.choice();
    this.weights = weights;
    this.vocabulary = vocabulary;
  }

  /**
   * Loads a model.
   *
   * @throws ModelFormatException when the file is broken
   * @throws UnsupportedModelException when it is valid but Gatun has no graph for it
   * @throws CapacityException when it does not fit into memory
   */
  public static Model load(Path path, LoadOptions options) throws IOException {
    return load(path, options, (_, plan) -> plan.requireWeights(path.toString()));
  }

  /**
   * Loads a model that has to fit together with something else.
   *
   * @param check what is asked before anything is loaded, unless the options say not to; throws
   *     {@link CapacityException}
   */
  public static Model load(
      Path path, LoadOptions options, BiConsumer<Hyperparams, MemoryPlan> check)
      throws IOException {
    ThreadCount.watch();
    Loading loading = Loading.plan(GgufFile.open(path), options);
    if (options.checkMemory()) {
      check.accept(loading.hyperparams(), loading.plan());
    }
    try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
      CompletableFuture<Vocabulary> vocabulary =
          CompletableFuture.supplyAsync(() -> Vocabulary.of(loading.file()), executor);
      ModelWeights weights;
      try {
        weights = ModelWeights.load(loading);
      } catch (IOException | RuntimeException e) {
        var _ = vocabulary.thenAccept(Vocabulary::close);
        throw e;
      }
      try {
        Model model = new Model(loading, weights, vocabulary.join());
        model.checkVocabulary();
        LOG.log(Level.DEBUG, model::summary);
        return model;
      } catch (CompletionException e) {
        weights.close();
        throw e.getCause() instanceof RuntimeException cause ? cause : e;
      }
    }
  }

  /** What loading a file would take, without loading it. */
  public static MemoryPlan plan(GgufFile file, LoadOptions options) {
    return Loading.plan(file, options).plan();
  }

  /** {@link #plan(GgufFile, LoadOptions)} with a KV cache of other types than F16. */
  public static MemoryPlan plan(GgufFile file, LoadOptions options, KvTypes types) {
    Loading loading = Loading.plan(file, options);
    return loading.plan().withKvTypes(loading.hyperparams(), types);
  }

  /**
   * Whose graphs would compute a file. Details that show only when a graph is built may change it.
   */
  public static GraphChoice choice(GgufFile file, LoadOptions options) {
    return Loading.plan(file, options).choice();
  }

  public GgufFile file() {
    return file;
  }

  /** The file's name, for messages. */
  public String name() {
    return hyperparams.metadata().file();
  }

  public Hyperparams hyperparams() {
    return hyperparams;
  }

  public Architecture architecture() {
    return architecture;
  }

  /** Whose graphs compute it, and why. */
  public GraphChoice choice() {
    return choice;
  }

  /**
   * Its weights in Gatun's memory.
   *
   * @throws UnsupportedModelException when libllama has them
   */
  public TensorStore weights() {
    return weights
        .own()
        .orElseThrow(() ->
            new UnsupportedModelException(
                "%s is computed by libllama (%s), which keeps its weights: what needs a graph of Gatun's cannot be done with it"
                    .formatted(name(), choice.reason())));
  }

  /** The model in libllama, when it computes it. */
  public Optional<LlamaModel> llama() {
    return weights.llama();
  }

  public Vocabulary vocabulary() {
    return vocabulary;
  }

  /** Where its layers are computed. */
  public LayerDevices devices() {
    return devices;
  }

  public MemoryPlan memoryPlan() {
    return plan;
  }

  /** How its file wants texts to become vectors, if it is made for that. */
  public Optional<Pooling> pooling() {
    return Pooling.of(hyperparams);
  }

  /** V: rows of the embedding, at least the tokens of the vocabulary. */
  public int vocabularySize() {
    return weights
        .llama()
        .map(LlamaModel::tokenCount)
        .orElseGet(
            () -> Math.toIntExact(weights().find("token_embd.weight").orElseThrow().shape().d1()));
  }

  /**
   * Frequency factors of rotary positions [dims/2], for a context of so many tokens.
   *
   * @source arXiv 2402.13753 for long and short factors
   */
  Optional<StoredTensor> frequencyFactors(int contextTokens) {
    Optional<StoredTensor> always = weights().find("rope_freqs.weight");
    return always.isPresent()
        ? always
        : weights()
            .find(
                contextTokens > hyperparams.rope().originalContext()
                    ? "rope_factors_long.weight"
                    : "rope_factors_short.weight");
  }

  /**
   * Tells this file from others, for what is kept about it elsewhere.
   *
   * @throws UncheckedIOException when it can no longer be read
   */
  public byte[] fingerprint() {
    try {
      return Fingerprint.of(file);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + name() + ": " + e.getMessage(), e);
    }
  }

  /** One line: what it is and where it lies. */
  public String summary() {
    return "%s: %s, %d layers, %s mapped, %s rearranged, %d of %d layers on GPUs"
        .formatted(
            name(),
            hyperparams.architecture(),
            hyperparams.layerCount(),
            MemoryPlan.show(plan.mapped()),
            MemoryPlan.show(plan.rearranged()),
            devices.onGpu(),
            hyperparams.layerCount() + 1);
  }

  /** Keeps the model alive until a further {@link #close}. */
  public synchronized Model retain() {
    if (references == 0) {
      throw new IllegalStateException("already closed: model " + name());
    }
    references++;
    return this;
  }

  @Override
  public synchronized void close() {
    if (references > 0 && --references == 0) {
      vocabulary.close();
      weights.close();
    }
  }

  private void checkVocabulary() {
    if (vocabulary.size() > vocabularySize()) {
      close();
      throw new ModelFormatException(
          "%s: the vocabulary has %d tokens but token_embd.weight only %d rows"
              .formatted(name(), vocabulary.size(), vocabularySize()));
    }
  }
}
