package io.gatun.model;

import io.gatun.tensor.Kernels;

/**
 * How a model is brought into memory.
 *
 * @param repack which weights are kept rearranged for faster prompt processing
 * @param gpuLayers layers, counted from the last, that GPUs compute; the read-out counts as one; 0
 *     for none; {@link #GPU_AUTO} for as many as fit
 * @param checkMemory whether loading is refused when the memory plan exceeds what is available
 * @param kernels which kernels will compute: weights that they read as they are, are not rearranged
 * @param graphs whose graphs will compute
 */
public record LoadOptions(
    Repacking repack, int gpuLayers, boolean checkMemory, Kernels kernels, GraphSource graphs) {
  /** As many layers on GPUs as their memory holds. */
  public static final int GPU_AUTO = -1;

  /** Which weights are rearranged. A rearranged weight is a private copy in main memory. */
  public enum Repacking {
    /**
     * Dense weights of the types that Gatun has no kernel of its own for, when memory allows;
     * experts stay mapped, where that is faster.
     */
    AUTO,
    /** Every weight that has a faster form. */
    ALL,
    /** None: all weights stay mapped. */
    NONE
  }

  public LoadOptions {
    if (gpuLayers < GPU_AUTO) {
      throw new IllegalArgumentException("gpuLayers must be -1 (auto) or more, got " + gpuLayers);
    }
  }

  public static LoadOptions defaults() {
    return new LoadOptions(Repacking.AUTO, GPU_AUTO, true, Kernels.own(), GraphSource.AUTO);
  }

  public LoadOptions withRepack(Repacking other) {
    return new LoadOptions(other, gpuLayers, checkMemory, kernels, graphs);
  }

  public LoadOptions withGpuLayers(int layers) {
    return new LoadOptions(repack, layers, checkMemory, kernels, graphs);
  }

  public LoadOptions withCheckMemory(boolean check) {
    return new LoadOptions(repack, gpuLayers, check, kernels, graphs);
  }

  public LoadOptions withKernels(Kernels chosen) {
    return new LoadOptions(repack, gpuLayers, checkMemory, chosen, graphs);
  }

  public LoadOptions withGraphs(GraphSource chosen) {
    return new LoadOptions(repack, gpuLayers, checkMemory, kernels, chosen);
  }
}
