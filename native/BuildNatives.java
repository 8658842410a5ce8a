import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs CMake for the Maven build: stages the prebuilt libraries, compiles and tests the kernels.
 * Quiet unless something fails; says what to install when a tool is missing. With {@code
 * -DGATUN_SANITIZE=ON} it only tests the kernels under sanitizers, where the compiler has them.
 *
 * <p>Usage: {@code java BuildNatives.java ROOT BUILD [-DOPTION=VALUE …]}
 */
final class BuildNatives {
  private static final String CMAKE_HINT =
      """
      CMake was not found; it stages the native libraries. Install it:
        Debian, Ubuntu: sudo apt install cmake
        Fedora: sudo dnf install cmake
        macOS: brew install cmake
        Windows: winget install Kitware.CMake\
      """;
  private static final String COMPILER_HINT =
      """
      No working C compiler was found; it builds Gatun's own kernels. Install one:
        Debian, Ubuntu: sudo apt install build-essential
        Fedora: sudo dnf install gcc make
        macOS: xcode-select --install
        Windows: winget install Microsoft.VisualStudio.2022.BuildTools\
      """;

  /** What CMakeLists.txt says. */
  private static final String NO_SANITIZERS = "No sanitizers: ";

  public static void main(String[] args) throws IOException, InterruptedException {
    Path root = Path.of(args[0]);
    Path build = Path.of(args[1]);
    List<String> configure =
        new ArrayList<>(List.of("cmake", "-S", root.toString(), "-B", build.toString()));
    for (int i = 2; i < args.length; i++) {
      if (!args[i].endsWith("=")) {
        configure.add(args[i]);
      }
    }
    Files.createDirectories(build);
    run(configure, build);
    run(List.of("cmake", "--build", build.toString(), "--config", "Release", "--parallel"), build);
    run(
        List.of(
            "ctest",
            "--test-dir",
            build.toString(),
            "-C",
            "Release",
            "--output-on-failure",
            "--parallel",
            String.valueOf(Runtime.getRuntime().availableProcessors())),
        build);
  }

  private static void run(List<String> command, Path build)
      throws IOException, InterruptedException {
    Process process;
    try {
      process = new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException missing) {
      throw fail(CMAKE_HINT);
    }
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() == 0) {
      return;
    }
    if (output.contains(NO_SANITIZERS)) {
      System.out.println(
          "Tests of the kernels under sanitizers are left out: the C compiler has none.");
      System.exit(0);
    }
    System.err.println(output);
    if (output.contains("No CMAKE_C_COMPILER")
        || output.contains("CMAKE_MAKE_PROGRAM is not set")) {
      // A failed search is remembered; forget it, so that the next build finds the new compiler.
      Files.deleteIfExists(build.resolve("CMakeCache.txt"));
      throw fail(COMPILER_HINT);
    }
    throw fail("The native build failed (above): " + String.join(" ", command));
  }

  private static RuntimeException fail(String message) {
    System.err.println(message);
    System.exit(1);
    return new IllegalStateException(message);
  }
}
