package io.gatun.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/**
 * What the container of this process still lets it take: Linux counts the files that a container
 * has read as its memory, but gives those back that were not used lately.
 *
 * @source the kernel's admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst
 */
final class CgroupMemory {
  private final Path membership;
  private final Path root;

  /**
   * @param membership {@code /proc/self/cgroup}
   * @param root {@code /sys/fs/cgroup}
   */
  CgroupMemory(Path membership, Path root) {
    this.membership = membership;
    this.root = root;
  }

  /** That of this process. */
  static CgroupMemory own() {
    return new CgroupMemory(Path.of("/proc/self/cgroup"), Path.of("/sys/fs/cgroup"));
  }

  /** Bytes until the nearest limit, over all groups around the process; empty without a limit. */
  OptionalLong available() {
    OptionalLong least = OptionalLong.empty();
    try {
      for (String line : Files.readAllLines(membership)) {
        String[] parts = line.split(":", 3);
        if (parts.length == 3 && parts[1].isEmpty()) {
          least = lesser(least, over(root, parts[2], Names.V2));
        } else if (parts.length == 3 && parts[1].matches("(.*,)?memory(,.*)?")) {
          least = lesser(least, over(root.resolve("memory"), parts[2], Names.V1));
        }
      }
    } catch (IOException notLinux) {
      return OptionalLong.empty();
    }
    return least;
  }

  private record Names(String limit, String used, String inactive) {
    static final Names V2 = new Names("memory.max", "memory.current", "inactive_file");
    static final Names V1 =
        new Names("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file");
  }

  /** A group is limited by those around it; inside a container its own is often the root. */
  private static OptionalLong over(Path root, String group, Names names) {
    OptionalLong least = OptionalLong.empty();
    Path top = root.normalize();
    Path at = top.resolve(group.replaceFirst("^/+", "")).normalize();
    while (at.startsWith(top)) {
      least = lesser(least, available(at, names));
      if (at.equals(top)) {
        break;
      }
      at = at.getParent() == null ? top : at.getParent();
    }
    return least;
  }

  private static OptionalLong available(Path group, Names names) {
    OptionalLong limit = number(group.resolve(names.limit()), "");
    OptionalLong used = number(group.resolve(names.used()), "");
    if (limit.isEmpty() || used.isEmpty()) {
      return OptionalLong.empty();
    }
    long inactive = number(group.resolve("memory.stat"), names.inactive() + " ").orElse(0);
    return OptionalLong.of(Math.max(0, limit.getAsLong() - used.getAsLong() + inactive));
  }

  /** The number behind a word at the beginning of a line; empty for {@code max}, and without. */
  private static OptionalLong number(Path file, String word) {
    try {
      return Files.readAllLines(file).stream()
          .filter(line -> line.startsWith(word))
          .map(line -> line.substring(word.length()).strip())
          .filter(value -> value.matches("\\d{1,18}"))
          .mapToLong(Long::parseLong)
          .findFirst();
    } catch (IOException absent) {
      return OptionalLong.empty();
    }
  }

  private static OptionalLong lesser(OptionalLong a, OptionalLong b) {
    return a.isEmpty() || (b.isPresent() && b.getAsLong() < a.getAsLong()) ? b : a;
  }
}
