package io.gatun.cli;

import io.gatun.engine.EngineOptions;
import io.gatun.model.GraphSource;
import io.gatun.model.KvTypes;
import io.gatun.model.LoadOptions;
import io.gatun.model.LoadOptions.Repacking;
import io.gatun.tensor.Kernels;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How a model is loaded and run. */
final class RunningOptions {
  @Option(
      names = {"-t", "--threads"},
      paramLabel = "N",
      description = "CPU threads (default: as many as there are cores that nothing else uses).")
  int threads;

  @Option(
      names = {"-c", "--context"},
      paramLabel = "N",
      description = "Tokens of context (default: the model's own, at most 4096).")
  int context;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Rows of a step (default: ${DEFAULT-VALUE}).")
  int batch = 512;

  @Option(
      names = "--repack",
      paramLabel = "WHICH",
      description =
          "Weights that are kept rearranged in memory, for faster prompts: ${COMPLETION-CANDIDATES}"
              + " (default: ${DEFAULT-VALUE}).")
  Repacking repack = Repacking.AUTO;

  @Option(names = "--no-repack", description = "The same as --repack none: start faster.")
  boolean noRepack;

  @Option(
      names = "--graphs",
      paramLabel = "WHOSE",
      description =
          "own, libllama, or auto: Gatun's own where it has one for the file (default: auto).")
  String graphs = "auto";

  @Option(
      names = "--kernels",
      paramLabel = "WHICH",
      description =
          "own, ggml (logits equal to libllama's bit for bit), or a list of families of own"
              + " kernels: matmul, experts, floats, attention, fused (default: own).")
  String kernels = "own";

  @Option(
      names = "--kv-type",
      paramLabel = "TYPE",
      description =
          "Type of the KV cache: f32, f16, bf16, q8_0, q5_1 or q4_0 (default: ${DEFAULT-VALUE}).")
  String kvType = "f16";

  @Option(
      names = "--kv-type-v",
      paramLabel = "TYPE",
      description = "Another type for values, which suffer less than keys.")
  @Nullable String kvTypeOfValues;

  @Option(
      names = "--kv-outer",
      paramLabel = "N",
      description = "Keep so many first and last layers of the KV cache in F16 (default: 0).")
  int kvOuter;

  @Option(
      names = "--gpu-layers",
      paramLabel = "N",
      description = "Layers on GPUs, counted from the last; -1 for as many as fit (default).")
  int gpuLayers = LoadOptions.GPU_AUTO;

  @Option(names = "--ignore-memory", description = "Load even if memory seems too small.")
  boolean ignoreMemory;

  /** The most sequences that run at once, for commands that start several. */
  int sequences = EngineOptions.defaults().sequencesMax();

  LoadOptions loading() {
    return LoadOptions.defaults()
        .withRepack(noRepack ? Repacking.NONE : repack)
        .withGpuLayers(gpuLayers)
        .withCheckMemory(!ignoreMemory)
        .withKernels(Kernels.parse(kernels))
        .withGraphs(GraphSource.parse(graphs));
  }

  EngineOptions running() {
    return EngineOptions.defaults()
        .withThreads(threads)
        .withContextTokens(context)
        .withBatchRows(batch)
        .withSequencesMax(sequences)
        .withKvTypes(kvTypes())
        .withKernels(Kernels.parse(kernels));
  }

  private KvTypes kvTypes() {
    String values = kvTypeOfValues == null ? kvType : kvTypeOfValues;
    return KvTypes.of(KvTypes.parse(kvType))
        .withValues(KvTypes.parse(values))
        .withOuterLayers(kvOuter);
  }
}
