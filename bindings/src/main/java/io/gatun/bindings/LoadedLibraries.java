package io.gatun.bindings;

import io.gatun.bindings.ggml.Ggml;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Tells which of the CPU backends in a folder GGML loaded. */
final class LoadedLibraries {
  private LoadedLibraries() {}

  /**
   * Each candidate exports {@code ggml_backend_score}; GGML takes the highest. Where the system can
   * name the libraries of a process, or the loader that of an address, it is asked instead, which
   * needs no guess.
   */
  static @Nullable Path cpuBackend(Path folder) {
    Path mapped = mappedFrom(folder);
    if (mapped != null) {
      return mapped;
    }
    Path byAddress = libraryOf(threadCountFunction());
    return byAddress != null ? byAddress : highestScore(folder);
  }

  /** Linux lists the libraries of a process in a file, which costs less than linking a function. */
  private static @Nullable Path mappedFrom(Path folder) {
    Path maps = Path.of("/proc/self/maps");
    if (!Files.isReadable(maps)) {
      return null;
    }
    try (Stream<String> lines = Files.lines(maps)) {
      String prefix = folder.toRealPath() + "/libggml-cpu";
      return lines
          .filter(line -> line.contains(prefix))
          .map(line -> Path.of(line.substring(line.indexOf('/'))))
          .findFirst()
          .orElse(null);
    } catch (IOException unreadable) {
      return null;
    }
  }

  private static MemorySegment threadCountFunction() {
    MemorySegment device = Ggml.ggml_backend_dev_by_type(Ggml.GGML_BACKEND_DEVICE_TYPE_CPU());
    MemorySegment registry = Ggml.ggml_backend_dev_backend_reg(device);
    try (Arena arena = Arena.ofConfined()) {
      return Ggml.ggml_backend_reg_get_proc_address(
          registry, arena.allocateFrom("ggml_backend_set_n_threads"));
    }
  }

  /** {@code dladdr(3)}: its result begins with the file name of the library. */
  private static @Nullable Path libraryOf(MemorySegment function) {
    Linker linker = Linker.nativeLinker();
    var dladdr = linker.defaultLookup().find("dladdr");
    if (dladdr.isEmpty() || function.equals(MemorySegment.NULL)) {
      return null;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment found = arena.allocate(MemoryLayout.sequenceLayout(4, ValueLayout.ADDRESS));
      int known =
          (int)
              linker
                  .downcallHandle(
                      dladdr.get(),
                      FunctionDescriptor.of(
                          ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS))
                  .invokeExact(function, found);
      if (known == 0) {
        return null;
      }
      Path path =
          Path.of(found.get(ValueLayout.ADDRESS, 0).reinterpret(Integer.MAX_VALUE).getString(0));
      return Files.isRegularFile(path) ? path : null;
    } catch (Throwable e) {
      throw new AssertionError("dladdr cannot fail to link", e);
    }
  }

  private static @Nullable Path highestScore(Path folder) {
    Path best = null;
    int bestScore = 0;
    try (Stream<Path> files = Files.list(folder)) {
      List<Path> candidates =
          files.filter(f -> f.getFileName().toString().contains("ggml-cpu")).sorted().toList();
      for (Path candidate : candidates) {
        int score = score(candidate);
        if (score > bestScore || best == null) {
          best = candidate;
          bestScore = score;
        }
      }
    } catch (IOException unreadable) {
      return null;
    }
    return best;
  }

  private static int score(Path library) {
    try (Arena arena = Arena.ofConfined()) {
      var score = SymbolLookup.libraryLookup(library, arena).find("ggml_backend_score");
      if (score.isEmpty()) {
        return 0;
      }
      return (int)
          Linker.nativeLinker()
              .downcallHandle(score.get(), FunctionDescriptor.of(ValueLayout.JAVA_INT))
              .invokeExact();
    } catch (Throwable e) {
      throw new AssertionError("ggml_backend_score cannot fail to link", e);
    }
  }
}
