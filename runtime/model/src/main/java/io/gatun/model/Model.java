package io.gatun.model;

import io.gatun.model.LoadOptions.Repacking;
import io.gatun.model.gguf.Fingerprint;
import io.gatun.model.gguf.GgufFile;
import io.gatun.model.gguf.TensorInfo;
import io.gatun.tensor.CapacityException;
import io.gatun.tensor.Device;
import io.gatun.tensor.StoredTensor;
import io.gatun.tensor.TensorStore;
import io.gatun.tensor.ThreadCount;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executors;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;

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
  private final long bytesRepacked;
  private final TensorStore weights;
  private final Vocabulary vocabulary;
  private int references = 1;

  private Model(Loading loading, TensorStore weights, Vocabulary vocabulary) {
    this.file = loading.file;
    this.hyperparams = loading.hyperparams;
    this.architecture = loading.architecture;
    this.devices = loading.devices;
    this.plan = loading.plan;
    this.bytesRepacked = loading.placement.repacked();
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
      check.accept(loading.hyperparams, loading.plan);
    }
    try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
      CompletableFuture<Vocabulary> vocabulary =
          CompletableFuture.supplyAsync(() -> Vocabulary.of(loading.file), executor);
      TensorStore weights;
      try {
        weights = loading.placement.load(loading.file);
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
    return Loading.plan(file, options).plan;
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

  public TensorStore weights() {
    return weights;
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
    return Math.toIntExact(weights.find("token_embd.weight").orElseThrow().shape().d1());
  }

  /**
   * Frequency factors of rotary positions [dims/2], for a context of so many tokens.
   *
   * @source arXiv 2402.13753 for long and short factors
   */
  Optional<StoredTensor> frequencyFactors(int contextTokens) {
    Optional<StoredTensor> always = weights.find("rope_freqs.weight");
    return always.isPresent()
        ? always
        : weights.find(
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
            MemoryPlan.show(bytesRepacked),
            devices.onGpu(),
            hyperparams.layerCount() + 1);
  }

  /** Bytes of weights that are kept rearranged. */
  public long bytesRepacked() {
    return bytesRepacked;
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

  /** Everything that is decided before memory is taken. */
  private record Loading(
      GgufFile file,
      Hyperparams hyperparams,
      Architecture architecture,
      LayerDevices devices,
      WeightPlacement placement,
      MemoryPlan plan) {

    static Loading plan(GgufFile file, LoadOptions options) {
      Architecture architecture = architectureOf(file);
      Hyperparams h = architecture.hyperparams(file.metadata());
      requireTensors(file, h);
      long kvPerToken = KvStore.bytes(h, KvSize.of(1), KvTypes.F16);
      LayerDevices devices =
          LayerDevices.place(
              h.layerCount(), options.gpuLayers(), bytesPerLayer(file, h), Device.gpus());
      WeightPlacement placement = WeightPlacement.of(file, h, devices, options);
      long available = MemoryPlan.availableBytes();
      if (options.repack() == Repacking.AUTO && placement.privateCopies() > available / 10 * 8) {
        placement = WeightPlacement.of(file, h, devices, options.withRepack(Repacking.NONE));
      }
      MemoryPlan plan =
          new MemoryPlan(
              placement.mapped(),
              placement.privateCopies(),
              placement.repacked(),
              onGpus(placement, devices, kvPerToken / h.layerCount(), h.layerCount()),
              perUse(file, h, kvPerToken),
              available,
              MemoryPlan.totalBytes());
      return new Loading(file, h, architecture, devices, placement, plan);
    }

    private static List<MemoryPlan.OnGpu> onGpus(
        WeightPlacement placement, LayerDevices devices, long kvPerLayer, int layers) {
      return devices.gpus().stream()
          .map(gpu -> {
            long count =
                IntStream.range(0, layers).filter(layer -> devices.of(layer) == gpu).count();
            return new MemoryPlan.OnGpu(
                gpu.toString(), placement.on(gpu), count * kvPerLayer, gpu.bytesFree());
          })
          .toList();
    }

    /**
     * A layer's intermediate values are as wide as its matrices; GGML uses their memory again for
     * the next layer. Experts have K rows for each, and matrices of heads one for each head.
     */
    private static MemoryPlan.PerUse perUse(GgufFile file, Hyperparams h, long kvPerToken) {
      long widest = h.embeddingLength();
      for (TensorInfo tensor : file.tensors()) {
        if (tensor.name().startsWith("blk.")) {
          boolean experts = WeightPlacement.experts(tensor);
          long times = experts ? h.expertsPerToken() : tensor.shape().d2();
          widest = Math.max(widest, tensor.shape().d1() * times);
        }
      }
      long vocabulary = file.tensor("token_embd.weight").orElseThrow().shape().d1();
      return new MemoryPlan.PerUse(
          kvPerToken,
          kvPerToken - KvStore.bytes(h, new KvSize(1, 0), KvTypes.F16),
          4 * (4L * h.embeddingLength() + 3 * widest),
          4 * vocabulary);
    }

    private static Architecture architectureOf(GgufFile file) {
      String name =
          file.metadata()
              .text("general.architecture")
              .orElseThrow(() -> file.metadata().missing("general.architecture"));
      return Architectures.find(name)
          .orElseThrow(() ->
              new UnsupportedModelException(
                  "%s: the architecture %s is not supported; supported are %s"
                      .formatted(
                          file.metadata().file(), name, String.join(", ", Architectures.names()))));
    }

    /** The tensors without which nothing else can be said. */
    private static void requireTensors(GgufFile file, Hyperparams h) {
      TensorInfo embedding =
          file.tensor("token_embd.weight")
              .orElseThrow(() ->
                  new ModelFormatException(
                      "%s: the tensor token_embd.weight is missing%s"
                          .formatted(
                              file.metadata().file(),
                              file.tensors().isEmpty() ? "; the file has only a vocabulary" : "")));
      if (embedding.shape().d0() != h.embeddingLength()
          || embedding.shape().d2() != 1
          || embedding.shape().d1() > Integer.MAX_VALUE) {
        throw new ModelFormatException(
            "%s: token_embd.weight is %s, expected [%d, V]"
                .formatted(file.metadata().file(), embedding.shape(), h.embeddingLength()));
      }
    }

    private static long bytesPerLayer(GgufFile file, Hyperparams h) {
      List<TensorInfo> tensors = file.tensors();
      long weights = tensors.stream().mapToLong(TensorInfo::bytes).sum();
      return (weights + KvStore.bytes(h, KvSize.of(Math.min(h.contextLength(), 4096)), KvTypes.F16))
          / h.layerCount();
    }
  }
}
