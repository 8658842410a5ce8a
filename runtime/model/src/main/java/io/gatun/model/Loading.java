package io.gatun.model;

import io.gatun.model.LoadOptions.Repacking;
import io.gatun.model.gguf.GgufFile;
import io.gatun.model.gguf.TensorInfo;
import io.gatun.tensor.Device;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Everything about loading a model that is decided before memory is taken.
 *
 * @param placement where weights go; none when libllama loads them
 */
record Loading(
    GgufFile file,
    Hyperparams hyperparams,
    Architecture architecture,
    LayerDevices devices,
    Optional<WeightPlacement> placement,
    MemoryPlan plan,
    GraphChoice choice) {

  static Loading plan(GgufFile file, LoadOptions options) {
    return switch (options.graphs()) {
      case OWN -> own(file, options);
      case LIBLLAMA -> foreign(file, options, "it was asked for");
      case AUTO -> automatic(file, options);
    };
  }

  private static Loading automatic(GgufFile file, LoadOptions options) {
    String name = nameOf(file);
    if (Architectures.find(name).isEmpty()) {
      return foreign(file, options, "Gatun has no graph for the architecture " + name);
    }
    try {
      return own(file, options);
    } catch (UnsupportedModelException e) {
      return foreign(file, options, String.valueOf(e.getMessage()));
    }
  }

  /** libllama loads the weights; it may rearrange them, and then they are a private copy. */
  private static Loading foreign(GgufFile file, LoadOptions options, String reason) {
    Hyperparams h = ForeignHyperparams.read(file.metadata());
    boolean causal = h.keys().flag("attention.causal", true);
    LayerDevices devices =
        LayerDevices.place(
            h.layerCount(), options.gpuLayers(), bytesPerLayer(file, h), Device.gpus());
    long bytes = file.tensors().stream().mapToLong(TensorInfo::bytes).sum();
    long onGpus = bytes / (h.layerCount() + 1) * devices.onGpu();
    long available = MemoryPlan.availableBytes();
    long copied = repacks(options, bytes - onGpus, available) ? bytes - onGpus : 0;
    long kvPerToken = KvStore.bytes(h, KvSize.of(1), KvTypes.F16);
    List<MemoryPlan.OnGpu> gpus =
        devices.gpus().stream()
            .map(gpu ->
                new MemoryPlan.OnGpu(
                    gpu.toString(),
                    onGpus / devices.gpus().size(),
                    kvPerToken / devices.gpus().size(),
                    gpu.bytesFree()))
            .toList();
    MemoryPlan plan =
        new MemoryPlan(
            bytes - onGpus - copied,
            copied,
            copied,
            gpus,
            perUse(file, h, kvPerToken),
            available,
            MemoryPlan.totalBytes());
    return new Loading(
        file,
        h,
        new ForeignArchitecture(h.architecture(), causal),
        devices,
        Optional.empty(),
        plan,
        new GraphChoice(GraphSource.LIBLLAMA, reason));
  }

  private static boolean repacks(LoadOptions options, long bytes, long available) {
    return switch (options.repack()) {
      case ALL -> true;
      case NONE -> false;
      case AUTO -> bytes < available / 10 * 8;
    };
  }

  private static Loading own(GgufFile file, LoadOptions options) {
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
    GraphChoice choice = new GraphChoice(GraphSource.OWN, "there is one for " + h.architecture());
    return new Loading(file, h, architecture, devices, Optional.of(placement), plan, choice);
  }

  private static List<MemoryPlan.OnGpu> onGpus(
      WeightPlacement placement, LayerDevices devices, long kvPerLayer, int layers) {
    return devices.gpus().stream()
        .map(gpu -> {
          long count = IntStream.range(0, layers).filter(layer -> devices.of(layer) == gpu).count();
          return new MemoryPlan.OnGpu(
              gpu.toString(), placement.on(gpu), count * kvPerLayer, gpu.bytesFree());
        })
        .toList();
  }

  /**
   * A layer's intermediate values are as wide as its matrices; GGML uses their memory again for the
   * next layer. Experts have K rows for each.
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
    long vocabulary = file.tensor("token_embd.weight").map(t -> t.shape().d1()).orElse(0L);
    return new MemoryPlan.PerUse(
        kvPerToken,
        kvPerToken - KvStore.bytes(h, new KvSize(1, 0), KvTypes.F16),
        4 * (4L * h.embeddingLength() + 3 * widest),
        4 * vocabulary);
  }

  private static String nameOf(GgufFile file) {
    return file.metadata()
        .text("general.architecture")
        .orElseThrow(() -> file.metadata().missing("general.architecture"));
  }

  private static Architecture architectureOf(GgufFile file) {
    String name = nameOf(file);
    return Architectures.find(name)
        .orElseThrow(() ->
            new UnsupportedModelException(
                "%s: Gatun has no graph for the architecture %s, only for %s"
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
