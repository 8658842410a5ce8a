package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.tests.kit.SharedFiles;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code scripts/gatun} in a made checkout, where the JDK and Maven are scripts of this test: what
 * it sets, builds and waits for.
 */
@Timeout(120)
@DisabledOnOs(OS.WINDOWS)
class ScriptTest {
  @TempDir Path checkout;

  private record Result(int code, String out, String err) {}

  @BeforeEach
  void make_checkout() throws IOException {
    for (String folder :
        List.of(
            "scripts",
            "build/natives/here",
            "native",
            "bindings",
            "runtime",
            "adapters",
            "jdk/bin")) {
      Files.createDirectories(checkout.resolve(folder));
    }
    Path root = Path.of(System.getProperty("gatun.root"));
    for (String name : List.of("gatun", "find-jdk")) {
      Files.copy(root.resolve("scripts", name), checkout.resolve("scripts", name));
    }
    for (String name : List.of("pom.xml", "CMakeLists.txt")) {
      Files.writeString(checkout.resolve(name), "");
    }
    Files.writeString(checkout.resolve("jdk/release"), "JAVA_VERSION=\"25.0.1\"\n");
    script("jdk/bin/javac", "");
    // With -XX:AOTCacheOutput it pretends to write the cache; else it runs what the test runs.
    script(
        "jdk/bin/java",
        """
        for arg; do
          case $arg in -XX:AOTCacheOutput=*)
            echo warm-up >>'%1$s/runs'; sleep 1; echo >"${arg#*=}"; exit ;;
          esac
        done
        while [ "$1" != io.gatun.cli.Main ]; do shift; done
        exec '%2$s/bin/java' --enable-native-access=ALL-UNNAMED -XX:TieredStopAtLevel=1 \\
          -cp '%3$s' "$@"
        """
            .formatted(
                checkout,
                System.getProperty("java.home"),
                System.getProperty(
                        "surefire.test.class.path", System.getProperty("java.class.path"))
                    .replace("\n", File.pathSeparator)));
  }

  @Test
  void a_locale_without_letters_is_no_obstacle() throws Exception {
    Files.createFile(checkout.resolve("build/cli.stamp"));
    Path model = Files.copy(SharedFiles.stories(), checkout.resolve("模型 é.gguf"));
    Result expected = finish(gatun(Map.of(), "tokenize", model.toString(), "ü模", "--ids"));
    assertThat(expected.err()).isEmpty();
    for (Map<String, String> locale :
        List.of(
            Map.<String, String>of(),
            Map.of("LC_ALL", "C"),
            Map.of("LANG", "xx_XX.UTF-8"), // not installed
            Map.of("LC_ALL", "POSIX", "LANG", "C.UTF-8"))) {
      assertThat(finish(gatun(locale, "tokenize", model.toString(), "ü模", "--ids")))
          .as("%s", locale)
          .isEqualTo(expected);
    }
    assertThat(expected.out()).isEqualTo("1 410 198 191 233 171 164\n");
  }

  @Test
  void starts_at_once_build_once() throws Exception {
    made_maven();
    starts_build_once(Map.of());
  }

  @Test
  void starts_at_once_build_once_without_flock() throws Exception {
    made_maven();
    for (String tool :
        List.of(
            "bash", "cat", "dirname", "env", "find", "mkdir", "mv", "rm", "rmdir", "sed", "sleep",
            "tail", "touch")) {
      Files.copy(which(tool), checkout.resolve("bin").resolve(tool));
    }
    // A start that was killed left its lock.
    Path left = Files.createDirectories(checkout.resolve("build/cli.lock.d"));
    Files.writeString(left.resolve("owner"), "999999999\n");
    starts_build_once(Map.of("PATH", checkout.resolve("bin").toString()));
    assertThat(left).doesNotExist();
  }

  private void starts_build_once(Map<String, String> environment) throws Exception {
    Files.delete(checkout.resolve("build/natives/here"));
    List<Process> starts = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      starts.add(gatun(environment, "--version"));
    }
    for (Process start : starts) {
      Result result = finish(start);
      assertThat(result.code()).as(result.err()).isZero();
      assertThat(result.out()).startsWith("gatun ");
      assertThat(result.err().replaceAll("gatun: (building|waiting).*\n", "")).isEmpty();
    }
    assertThat(Files.readAllLines(checkout.resolve("runs"))).containsExactly("build", "warm-up");
  }

  private void made_maven() throws IOException {
    script(
        "bin/mvn",
        "echo build >>'%1$s/runs'; sleep 1; mkdir -p '%1$s/build/natives/here'"
            .formatted(checkout));
    script("bin/npm", "");
    script("bin/cmake", "");
  }

  private static Path which(String tool) {
    return Arrays.stream(System.getenv("PATH").split(":", -1))
        .map(folder -> Path.of(folder, tool))
        .filter(Files::isExecutable)
        .findFirst()
        .orElseThrow();
  }

  private Process gatun(Map<String, String> environment, String... args) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(checkout.resolve("scripts/gatun").toString());
    command.addAll(List.of(args));
    ProcessBuilder builder = new ProcessBuilder(command);
    String path = System.getenv("PATH");
    String home = System.getenv("HOME");
    builder.environment().clear();
    builder.environment().put("PATH", checkout.resolve("bin") + ":" + path);
    builder.environment().put("HOME", home);
    builder.environment().put("JAVA_HOME", checkout.resolve("jdk").toString());
    builder.environment().putAll(environment);
    Process process = builder.start();
    process.getOutputStream().close();
    return process;
  }

  private static Result finish(Process process) throws Exception {
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Result(process.waitFor(), out, err);
  }

  private void script(String name, String text) throws IOException {
    Path file = checkout.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, "#!/usr/bin/env bash\n" + text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }
}
