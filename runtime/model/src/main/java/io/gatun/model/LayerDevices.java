package io.gatun.model;

import io.gatun.tensor.Device;
import java.util.ArrayList;
import java.util.List;

/**
 * Which device computes which layer; the read-out counts as layer L. The last layers go to GPUs, in
 * proportion to their free memory, the first ones stay on the CPU, as libllama does it.
 */
public final class LayerDevices {
  private final List<Device> devices;

  private LayerDevices(List<Device> devices) {
    this.devices = List.copyOf(devices);
  }

  /**
   * Places layers.
   *
   * @param layers L
   * @param onGpu how many of the L + 1 are wanted on GPUs, or {@link LoadOptions#GPU_AUTO}
   * @param bytesPerLayer weights and cache of one layer, for the automatic choice
   */
  static LayerDevices place(int layers, int onGpu, long bytesPerLayer, List<Device> gpus) {
    long free = gpus.stream().mapToLong(Device::bytesFree).sum();
    int wanted = onGpu == LoadOptions.GPU_AUTO ? fitting(free, bytesPerLayer) : onGpu;
    int count = gpus.isEmpty() ? 0 : Math.min(layers + 1, wanted);
    List<Device> devices = new ArrayList<>();
    for (int layer = 0; layer <= layers; layer++) {
      int place = layer - (layers + 1 - count);
      devices.add(place < 0 ? Device.cpu() : share(gpus, free, (double) place / count));
    }
    return new LayerDevices(devices);
  }

  /** The device of a layer, or of the read-out for layer L. */
  public Device of(int layer) {
    return devices.get(layer);
  }

  /** How many of the L + 1 places are on GPUs. */
  public int onGpu() {
    return (int) devices.stream().filter(d -> d.kind() != Device.Kind.CPU).count();
  }

  /** The GPUs that are used. */
  public List<Device> gpus() {
    return devices.stream().filter(d -> d.kind() != Device.Kind.CPU).distinct().toList();
  }

  /** A tenth of the memory is left for intermediate values. */
  private static int fitting(long free, long bytesPerLayer) {
    return (int) Math.min(10_000, free / 10 * 9 / Math.max(1, bytesPerLayer));
  }

  private static Device share(List<Device> gpus, long free, double position) {
    double end = 0;
    for (Device gpu : gpus) {
      end += (double) gpu.bytesFree() / free;
      if (position < end) {
        return gpu;
      }
    }
    return gpus.getLast();
  }
}
