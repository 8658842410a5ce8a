package io.gatun.model;

import io.gatun.model.gguf.GgufFile;
import io.gatun.model.gguf.TensorInfo;
import io.gatun.tensor.DType;
import io.gatun.tensor.Device;
import io.gatun.tensor.TensorStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Decides where each weight of a file goes, and brings it there: used in place in the mapped file,
 * rearranged in main memory, or copied to a GPU.
 *
 * @source llama.cpp v0.4.0, src/llama-model-loader.cpp, for which weights are rearranged
 */
final class WeightPlacement {
  private static final String EMBEDDING = "token_embd.weight";
  private static final String OUTPUT = "output.weight";

  private enum Where {
    MAPPED,
    COPIED,
    REPACKED,
    DEVICE
  }

  private record Placed(String name, TensorInfo tensor, Where where, Device device) {}

  private final List<Placed> placed = new ArrayList<>();
  private final Hyperparams h;
  private final LoadOptions options;

  private WeightPlacement(Hyperparams h, LoadOptions options) {
    this.h = h;
    this.options = options;
  }

  /** Places all tensors of a file. */
  static WeightPlacement of(
      GgufFile file, Hyperparams h, LayerDevices devices, LoadOptions options) {
    WeightPlacement placement = new WeightPlacement(h, options);
    for (TensorInfo tensor : file.tensors()) {
      Device device = devices.of(placement.layerOf(tensor.name(), devices));
      placement.add(tensor.name(), tensor, device);
    }
    if (file.tensor(OUTPUT).isEmpty()) {
      // Tied: a lookup needs the plain table, and a matrix product is faster on another form of it.
      file.tensor(EMBEDDING).ifPresent(tied -> placement.addTied(tied, devices.of(h.layerCount())));
    }
    return placement;
  }

  /** Bytes that will be used in place. */
  long mapped() {
    return bytes(Where.MAPPED);
  }

  /** Bytes that will be copied into main memory. */
  long privateCopies() {
    return bytes(Where.COPIED) + bytes(Where.REPACKED);
  }

  /** Bytes that will be rearranged. */
  long repacked() {
    return bytes(Where.REPACKED);
  }

  /** Bytes that will be copied to a GPU. */
  long on(Device device) {
    return placed.stream()
        .filter(p -> p.where() == Where.DEVICE && p.device() == device)
        .mapToLong(p -> p.tensor().bytes())
        .sum();
  }

  /** Brings everything to its place. */
  TensorStore load(GgufFile file) throws IOException {
    try (TensorStore.Builder builder = TensorStore.builder(h.metadata().file())) {
      for (Path part : file.parts()) {
        var _ = builder.map(part);
      }
      for (Placed p : placed) {
        TensorInfo t = p.tensor();
        switch (p.where()) {
          case MAPPED -> builder.mapped(p.name(), t.layout(), t.part(), t.offset());
          case COPIED -> builder.copied(p.name(), t.layout(), t.part(), t.offset());
          case REPACKED ->
              builder.repacked(p.name(), t.layout(), t.part(), t.offset(), h.expertsPerToken());
          case DEVICE -> builder.onDevice(p.name(), t.layout(), t.part(), t.offset(), p.device());
        }
      }
      return builder.build();
    }
  }

  private void add(String name, TensorInfo tensor, Device device) {
    placed.add(new Placed(name, tensor, where(name, tensor, device), device));
  }

  private void addTied(TensorInfo embedding, Device device) {
    Where where = where(OUTPUT, embedding, device);
    if (where == Where.REPACKED || where == Where.DEVICE) {
      placed.add(new Placed(OUTPUT, embedding, where, device));
    }
  }

  private Where where(String name, TensorInfo tensor, Device device) {
    if (device.kind() != Device.Kind.CPU
        && (!matrix(name, tensor)
            || TensorStore.computable(tensor.layout(), h.expertsPerToken(), device))) {
      return Where.DEVICE;
    }
    boolean parts = tensor.shape().d2() > 1;
    boolean wanted =
        switch (options.repack()) {
          case ALL -> true;
          case AUTO -> !parts && !options.kernels().multiplies(tensor.type());
          case NONE -> false;
        };
    if (wanted
        && matrix(name, tensor)
        && (!parts || experts(tensor))
        && TensorStore.repackable(tensor.layout(), h.expertsPerToken())) {
      return Where.REPACKED;
    }
    return TensorStore.mappable(tensor.offset()) ? Where.MAPPED : Where.COPIED;
  }

  /** Whether a tensor's parts belong to experts, and not to heads. */
  static boolean experts(TensorInfo tensor) {
    return tensor.shape().d2() > 1 && tensor.name().contains("_exps");
  }

  /** Whether a tensor is only ever multiplied with. */
  private static boolean matrix(String name, TensorInfo tensor) {
    return tensor.shape().d1() > 1
        && tensor.type() != DType.F32
        && name.endsWith(".weight")
        && !name.equals(EMBEDDING)
        && !name.startsWith("position_embd")
        && !name.startsWith("rope_");
  }

  /**
   * The layer of {@code blk.N.…}; L for the read-out; layer 0's device is not used for the rest.
   */
  private int layerOf(String name, LayerDevices devices) {
    if (name.startsWith("blk.")) {
      int end = name.indexOf('.', 4);
      if (end > 4 && name.substring(4, end).chars().allMatch(Character::isDigit) && end < 10) {
        return Math.min(h.layerCount(), Integer.parseInt(name.substring(4, end)));
      }
    }
    boolean readOut = name.startsWith("output");
    return readOut || devices.onGpu() == 0 ? h.layerCount() : firstOnCpu(devices);
  }

  /** With every layer on GPUs there is no layer on the CPU; the embedding then follows layer 0. */
  private int firstOnCpu(LayerDevices devices) {
    for (int layer = 0; layer <= h.layerCount(); layer++) {
      if (devices.of(layer).kind() == Device.Kind.CPU) {
        return layer;
      }
    }
    return 0;
  }

  private long bytes(Where where) {
    return placed.stream().filter(p -> p.where() == where).mapToLong(p -> p.tensor().bytes()).sum();
  }
}
