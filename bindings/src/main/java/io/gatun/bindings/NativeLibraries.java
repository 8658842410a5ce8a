package io.gatun.bindings;

import io.gatun.bindings.ggml.Ggml;
import io.gatun.bindings.ggml.Llama;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Finds and loads the native libraries, once per process. Thread-safe.
 *
 * <p>They are looked for, in this order, in the folder named by the system property {@code
 * gatun.natives.dir} or the variable {@code GATUN_NATIVES_DIR}, and in a {@code gatun-natives-*}
 * jar on the class path, which is unpacked once into a cache folder.
 */
public final class NativeLibraries {
  /** A folder with libllama, the libggml family and libgatun. */
  public static final String FOLDER_PROPERTY = "gatun.natives.dir";

  private static @Nullable SymbolLookup ggml;
  private static @Nullable SymbolLookup cpu;
  private static @Nullable SymbolLookup kernels;
  private static @Nullable Path folder;
  private static @Nullable Path cpuLibrary;
  private static @Nullable String failure;
  private static boolean llamaChecked;

  private NativeLibraries() {}

  /**
   * Loads everything, checks it, and returns the folder it came from.
   *
   * @throws NativeLoadException when the libraries are missing, cannot be loaded, or are not the
   *     ones the bindings were generated for; the same message at every further call
   */
  public static synchronized Path load() {
    if (failure != null) {
      throw new NativeLoadException(failure);
    }
    Path loaded = folder;
    if (loaded == null) {
      try {
        loaded = find();
        loadAll(loaded);
        folder = loaded;
      } catch (NativeLoadException e) {
        failure = e.getMessage();
        throw e;
      }
    }
    return loaded;
  }

  /**
   * {@link #load}, and checks what only chat templates and decoding by libllama need.
   *
   * @throws NativeLoadException as {@link #load} does
   */
  public static synchronized void loadForLlama() {
    var _ = load();
    if (!llamaChecked) {
      AbiCheck.checkLlama();
      llamaChecked = true;
    }
  }

  /** File name of the CPU backend that GGML chose for this processor. */
  public static synchronized String cpuLibrary() {
    var _ = load();
    return String.valueOf(cpuLibrary == null ? null : cpuLibrary.getFileName());
  }

  /** Symbols of libllama, libggml and libggml-base; used by the generated bindings. */
  public static SymbolLookup ggmlLookup() {
    return name -> require(ggml, "GGML").find(name);
  }

  /** Symbols of the CPU backend that GGML chose for this processor. */
  public static SymbolLookup cpuLookup() {
    return name -> require(cpu, "the CPU backend").find(name);
  }

  /** Symbols of libgatun. */
  public static SymbolLookup kernelLookup() {
    return name -> require(kernels, "libgatun").find(name);
  }

  private static synchronized SymbolLookup require(@Nullable SymbolLookup lookup, String what) {
    if (lookup == null) {
      throw new IllegalStateException(what + " is used before NativeLibraries.load()");
    }
    return lookup;
  }

  private static Path find() {
    Platform platform = Platform.current();
    List<String> tried = new ArrayList<>();
    String explicit = System.getProperty(FOLDER_PROPERTY, System.getenv("GATUN_NATIVES_DIR"));
    if (explicit != null && !explicit.isBlank()) {
      Path path = Path.of(explicit);
      if (llamaIn(path, platform) != null) {
        return path;
      }
      tried.add(path.toAbsolutePath() + " (from " + FOLDER_PROPERTY + "): no libllama in it");
    } else {
      String resources = "io/gatun/natives/" + platform.name();
      Path cache = NativeCache.root();
      try {
        ClassLoader loader = NativeLibraries.class.getClassLoader();
        Path path =
            NativeCache.unpack(
                loader == null ? ClassLoader.getSystemClassLoader() : loader, resources, cache);
        if (path != null && llamaIn(path, platform) != null) {
          return path;
        }
        tried.add(resources + " on the class path: not there");
      } catch (IOException e) {
        tried.add(resources + " on the class path: cannot unpack into " + cache + ": " + e);
      }
    }
    throw new NativeLoadException(
        "no native libraries for %s. Tried: %s. Add the jar gatun-natives-%s to the class path, or name a folder with -D%s=…"
            .formatted(
                platform.name(), String.join("; ", tried), platform.name(), FOLDER_PROPERTY));
  }

  private static @Nullable Path llamaIn(Path folder, Platform platform) {
    if (!Files.isDirectory(folder)) {
      return null;
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(f -> platform.isLlama(f.getFileName().toString()))
          .findFirst()
          .orElse(null);
    } catch (IOException unreadable) {
      return null;
    }
  }

  private static void loadAll(Path from) {
    Platform platform = Platform.current();
    Path llama = llamaIn(from, platform);
    if (llama == null) {
      throw new NativeLoadException("no libllama in " + from);
    }
    try {
      silenceBacktraces();
      ggml = SymbolLookup.libraryLookup(llama, Arena.global());
      kernels = SymbolLookup.libraryLookup(from.resolve(platform.library("gatun")), Arena.global());
      AbiCheck.checkSymbols(ggmlLookup(), kernelLookup());
      NativeLog.install();
      AbortTrap.install(ggml);
      Llama.llama_backend_init();
      try (Arena arena = Arena.ofConfined()) {
        Ggml.ggml_backend_load_all_from_path(arena.allocateFrom(from.toString()));
      }
      Path chosen = cpuBackend(from);
      cpu = SymbolLookup.libraryLookup(chosen, Arena.global());
      cpuLibrary = chosen;
      AbiCheck.check(AbiCheck.GGML_VERSION);
    } catch (IllegalArgumentException e) {
      throw new NativeLoadException(
          "cannot load the native libraries in %s: %s. Do they fit this system (on Linux: glibc 2.34 or newer)?"
              .formatted(from, e.getMessage()),
          e);
    }
  }

  /**
   * GGML chose and loaded one of many CPU backends, privately; opening the same file again gives
   * the same library with its symbols.
   */
  private static Path cpuBackend(Path from) {
    MemorySegment device = Ggml.ggml_backend_dev_by_type(Ggml.GGML_BACKEND_DEVICE_TYPE_CPU());
    if (device.equals(MemorySegment.NULL)) {
      throw new NativeLoadException(
          "GGML found no CPU backend in %s that this processor can run: %s"
              .formatted(from, NativeLog.recent()));
    }
    Path chosen = LoadedLibraries.cpuBackend(from);
    if (chosen == null) {
      throw new NativeLoadException("cannot tell which CPU backend of " + from + " GGML loaded");
    }
    return chosen;
  }

  /** GGML forks a debugger to print a backtrace on an assertion unless told not to. */
  private static void silenceBacktraces() {
    if (System.getenv("GGML_NO_BACKTRACE") != null) {
      return;
    }
    Linker linker = Linker.nativeLinker();
    try (Arena arena = Arena.ofConfined()) {
      SymbolLookup libc = linker.defaultLookup();
      MemorySegment name = arena.allocateFrom("GGML_NO_BACKTRACE");
      MemorySegment value = arena.allocateFrom("1");
      if (libc.find("setenv").isPresent()) {
        int _ =
            (int)
                linker
                    .downcallHandle(
                        libc.find("setenv").get(),
                        FunctionDescriptor.of(
                            ValueLayout.JAVA_INT,
                            ValueLayout.ADDRESS,
                            ValueLayout.ADDRESS,
                            ValueLayout.JAVA_INT))
                    .invokeExact(name, value, 0);
      }
    } catch (Throwable e) {
      throw new AssertionError("setenv cannot fail to link", e);
    }
  }
}
