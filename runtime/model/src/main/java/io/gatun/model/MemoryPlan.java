package io.gatun.model;

import com.sun.management.OperatingSystemMXBean;
import io.gatun.tensor.CapacityException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What a model will take, before anything is loaded. Bytes.
 *
 * @param mapped weights used in place in the file; the system may drop and reread them
 * @param privateCopies weights copied into main memory: rearranged, or not aligned in the file
 * @param rearranged those of the copies that are rearranged
 * @param gpus what lies on GPUs
 * @param use what grows with how it is used
 * @param available main memory that is free or can be freed
 * @param total main memory of the machine or container
 */
public record MemoryPlan(
    long mapped,
    long privateCopies,
    long rearranged,
    List<OnGpu> gpus,
    PerUse use,
    long available,
    long total) {
  /** Logits are computed for at most so many bytes at once. */
  private static final long LOGITS_MAX = 64L << 20;

  /**
   * One GPU's part.
   *
   * @param weights bytes of weights
   * @param kvPerToken keys and values of its layers, for one token of context
   * @param free bytes of its memory that are free
   */
  public record OnGpu(String name, long weights, long kvPerToken, long free) {}

  /**
   * What does not depend on the file alone.
   *
   * @param kvPerToken keys and values of one token of context, over all layers
   * @param windowedPerToken the part of layers with a window
   * @param computePerRow estimate of the intermediate values of one row of a step
   * @param logitsPerRow logits of one row
   */
  public record PerUse(
      long kvPerToken, long windowedPerToken, long computePerRow, long logitsPerRow) {
    /** Bytes of a KV cache. */
    public long kvBytes(KvSize size) {
      return Math.addExact(
          Math.multiplyExact(kvPerToken - windowedPerToken, size.cells()),
          Math.multiplyExact(windowedPerToken, size.windowed()));
    }

    /**
     * An estimate of a step's intermediate values.
     *
     * @param rows T, of the largest step
     * @param tokens S, cells of the KV cache: the mask has an F16 value for each and row
     */
    public long computeBytes(long rows, long tokens) {
      return rows * (computePerRow + 2 * tokens) + Math.min(rows * logitsPerRow, LOGITS_MAX);
    }
  }

  /** Bytes of weights in GPU memory. */
  public long device() {
    return gpus.stream().mapToLong(OnGpu::weights).sum();
  }

  /** Keys and values of one token of context, over all layers and devices. */
  public long kvPerToken() {
    return use.kvPerToken();
  }

  /** The same with a KV cache of other types than F16. */
  public MemoryPlan withKvTypes(Hyperparams h, KvTypes types) {
    long perToken = KvStore.bytes(h, KvSize.of(1), types);
    long windowed = perToken - KvStore.bytes(h, new KvSize(1, 0), types);
    double share = (double) perToken / Math.max(1, use.kvPerToken());
    List<OnGpu> scaled =
        gpus.stream()
            .map(
                g -> new OnGpu(g.name(), g.weights(), Math.round(g.kvPerToken() * share), g.free()))
            .toList();
    PerUse other = new PerUse(perToken, windowed, use.computePerRow(), use.logitsPerRow());
    return new MemoryPlan(mapped, privateCopies, rearranged, scaled, other, available, total);
  }

  /** Main memory that is free, or that the system can free at once; within a container's limit. */
  public static long availableBytes() {
    return Math.min(machineAvailable(), CgroupMemory.own().available().orElse(Long.MAX_VALUE));
  }

  private static long machineAvailable() {
    long total = totalBytes();
    try {
      for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
        if (line.startsWith("MemAvailable:")) {
          return Math.min(total, 1024 * Long.parseLong(line.replaceAll("\\D", "")));
        }
      }
    } catch (IOException | NumberFormatException notLinux) {
      // The portable figure below does not count what the system can free.
    }
    return system().getFreeMemorySize();
  }

  /** Main memory of the machine, or of the container that limits this process. */
  public static long totalBytes() {
    return system().getTotalMemorySize();
  }

  /**
   * Throws when the weights cannot fit.
   *
   * @throws CapacityException with the figures and what to change
   */
  public void requireWeights(String name) {
    require(name, KvSize.of(0), 0);
  }

  /**
   * Throws when the weights cannot fit together with a KV cache and the intermediate values.
   *
   * @param size of the KV cache; none for the weights alone
   * @param rows of the largest step; 0 for the weights alone
   * @throws CapacityException with the figures and what to change
   */
  public void require(String name, KvSize size, long rows) {
    long tokens = size.cells();
    long compute = use.computeBytes(rows, tokens);
    long kv = use.kvBytes(size) - gpus.stream().mapToLong(g -> kvOn(g, size)).sum();
    if (privateCopies > available) {
      throw new CapacityException(
          "%s needs %s of private memory for rearranged weights but only %s are available. Use --no-repack, or --ignore-memory to try anyway"
              .formatted(name, show(privateCopies), show(available)));
    }
    if (privateCopies + kv + compute > available) {
      throw new CapacityException(
          "%s: a context of %d tokens needs %s for the KV cache and %s for computing, beside %s of private weights, but only %s are available. Use a shorter context (--context), --no-repack, or --ignore-memory to try anyway"
              .formatted(
                  name, tokens, show(kv), show(compute), show(privateCopies), show(available)));
    }
    if (mapped + privateCopies + kv + compute > total) {
      throw new CapacityException(
          "%s needs %s (%s mapped, %s private) but this machine has %s in all: every token would be read from disk. Use a smaller quantisation, or --ignore-memory to try anyway"
              .formatted(
                  name,
                  show(mapped + privateCopies + kv + compute),
                  show(mapped),
                  show(privateCopies + kv + compute),
                  show(total)));
    }
    for (OnGpu gpu : gpus) {
      long onGpu = gpu.weights() + kvOn(gpu, size) + compute;
      if (onGpu > gpu.free()) {
        throw new CapacityException(
            "%s needs %s on %s (%s weights, %s KV cache of %d tokens, %s for computing) but only %s are free. Use fewer --gpu-layers, a shorter context (--context), or --ignore-memory to try anyway"
                .formatted(
                    name,
                    show(onGpu),
                    gpu.name(),
                    show(gpu.weights()),
                    show(kvOn(gpu, size)),
                    tokens,
                    show(compute),
                    show(gpu.free())));
      }
    }
  }

  /** A GPU's part of the cache: its layers are taken to be as the average. */
  private long kvOn(OnGpu gpu, KvSize size) {
    return (long) (use.kvBytes(size) * ((double) gpu.kvPerToken() / Math.max(1, kvPerToken())));
  }

  /** Bytes for people: 1.5 GiB. */
  public static String show(long bytes) {
    String[] units = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = bytes;
    int unit = 0;
    while (value >= 1024 && unit < units.length - 1) {
      value /= 1024;
      unit++;
    }
    return unit == 0 ? bytes + " B" : "%.1f %s".formatted(value, units[unit]);
  }

  private static OperatingSystemMXBean system() {
    return (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  }
}
