package io.gatun.engine;

import java.nio.file.Path;
import java.util.Optional;

/**
 * What an engine keeps of finished requests, so that later ones with the same beginning need not
 * compute it.
 *
 * @param bytesMax of keys and values that are kept, within the engine's own cache; 0 keeps nothing
 * @param policy what goes first when there is too much
 * @param disk where what goes is written to, and read from again
 * @param diskBytesMax of files there; the oldest go first
 */
public record PrefixCacheOptions(
    long bytesMax, EvictionPolicy policy, Optional<Path> disk, long diskBytesMax) {
  public PrefixCacheOptions {
    if (bytesMax < 0 || diskBytesMax < 0) {
      throw new IllegalArgumentException(
          "bytes must not be negative, got %d and %d".formatted(bytesMax, diskBytesMax));
    }
  }

  /** Nothing is kept. */
  public static PrefixCacheOptions none() {
    return new PrefixCacheOptions(0, EvictionPolicy.leastRecentlyUsed(), Optional.empty(), 0);
  }

  /** As much as there are free cells for. */
  public static PrefixCacheOptions all() {
    return none().withBytesMax(Long.MAX_VALUE);
  }

  public PrefixCacheOptions withBytesMax(long bytes) {
    return new PrefixCacheOptions(bytes, policy, disk, diskBytesMax);
  }

  public PrefixCacheOptions withPolicy(EvictionPolicy other) {
    return new PrefixCacheOptions(bytesMax, other, disk, diskBytesMax);
  }

  /** With a second tier in a folder, which is made when it is first needed. */
  public PrefixCacheOptions withDisk(Path folder, long bytes) {
    return new PrefixCacheOptions(bytesMax, policy, Optional.of(folder), bytes);
  }
}
