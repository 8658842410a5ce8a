package io.gatun.model;

import com.sun.management.OperatingSystemMXBean;
import io.gatun.tensor.CapacityException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What loading a model will take, before anything is loaded. Bytes.
 *
 * @param mapped weights used in place in the file; the system may drop and reread them
 * @param privateCopies weights copied into main memory: rearranged, or not aligned in the file
 * @param rearranged those of the copies that are rearranged
 * @param device weights in GPU memory
 * @param kvPerToken keys and values of one token of context, over all layers
 * @param available main memory that is free or can be freed
 * @param total main memory of the machine or container
 */
public record MemoryPlan(
    long mapped,
    long privateCopies,
    long rearranged,
    long device,
    long kvPerToken,
    long available,
    long total) {

  /** Main memory that is free, or that the system can free at once. */
  public static long availableBytes() {
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
    if (privateCopies > available) {
      throw new CapacityException(
          "%s needs %s of private memory for rearranged weights but only %s are available. Use --no-repack, or --ignore-memory to try anyway"
              .formatted(name, show(privateCopies), show(available)));
    }
    if (mapped + privateCopies > total) {
      throw new CapacityException(
          "%s needs %s (%s mapped, %s private) but this machine has %s in all: every token would be read from disk. Use a smaller quantisation, or --ignore-memory to try anyway"
              .formatted(
                  name,
                  show(mapped + privateCopies),
                  show(mapped),
                  show(privateCopies),
                  show(total)));
    }
  }

  /**
   * Throws when a KV cache of so many tokens cannot fit, once the weights are loaded.
   *
   * @throws CapacityException with the figures and what to change
   */
  public void requireContext(String name, long tokens) {
    long bytes = Math.multiplyExact(kvPerToken, tokens);
    long now = availableBytes();
    if (bytes > now) {
      throw new CapacityException(
          "%s: the KV cache of %d tokens needs %s but only %s are available. Use a shorter context (--context), or --ignore-memory to try anyway"
              .formatted(name, tokens, show(bytes), show(now)));
    }
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
