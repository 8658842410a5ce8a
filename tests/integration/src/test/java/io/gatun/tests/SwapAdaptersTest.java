package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.model.adapter.AdapterFile;
import io.gatun.model.adapter.LoraAdapter;
import io.gatun.model.adapter.LowRank;
import io.gatun.tensor.DType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The programs in {@code scripts} that users read and run as they are: nothing compiles them. */
@Timeout(120)
class SwapAdaptersTest {
  private static final Path ROOT = Path.of(System.getProperty("gatun.root"));
  private static final int WIDTH = 256; // of the story model

  @TempDir Path folder;

  @Test
  void adapters_take_turns_in_one_process() throws Exception {
    String model =
        ROOT.resolve("runtime/cli/src/main/resources/io/gatun/cli/stories.gguf").toString();
    String out = run("SwapAdapters", model, adapter("one", 1), adapter("two", 2));
    assertThat(out)
        .contains("one: read and brought into memory", "two: read and brought into memory")
        .containsSubsequence("— no adapter", "— one", "— two", "— no adapter", "— one", "— two")
        .contains("after a swap", "all 3 at once, in one batch: 180 tokens");
  }

  @Test
  void the_same_seed_makes_the_same_stories() throws Exception {
    for (String style : List.of("pirate", "rhyme")) {
      Path file = folder.resolve(style);
      assertThat(run("MakeStyles", style, "20", "1", file.toString())).contains("20 stories");
      String stories = Files.readString(file);
      var _ = run("MakeStyles", style, "20", "1", file.toString());
      assertThat(Files.readString(file)).isEqualTo(stories).doesNotContain("{", "%");
      assertThat(stories.split("<\\|endoftext\\|>", -1)).hasSize(20);
    }
  }

  private String adapter(String name, long seed) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    float[] a = new float[WIDTH];
    float[] b = new float[WIDTH];
    for (int i = 0; i < WIDTH; i++) {
      a[i] = (float) random.nextDouble(-0.1, 0.1);
      b[i] = (float) random.nextDouble(-0.1, 0.1);
    }
    Map<String, LowRank> deltas = Map.of("blk.0.attn_q", new LowRank(WIDTH, WIDTH, 1, 1, a, b, 1));
    Path file = folder.resolve(name + ".gguf");
    AdapterFile.write(new LoraAdapter(name, "llama", deltas, Map.of()), DType.F32, file);
    return file.toString();
  }

  private static String run(String program, String... args) throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
            ROOT.resolve("scripts").resolve(program + ".java").toString());
    builder.command().addAll(List.of(args));
    Process process = builder.redirectErrorStream(true).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(out).isZero();
    return out;
  }
}
