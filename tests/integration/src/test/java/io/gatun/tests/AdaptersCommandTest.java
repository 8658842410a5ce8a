package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.model.adapter.AdapterFile;
import io.gatun.model.adapter.ControlVector;
import io.gatun.model.adapter.LoraAdapter;
import io.gatun.model.adapter.LowRank;
import io.gatun.model.adapter.SoftPrompt;
import io.gatun.model.gguf.GgufFile;
import io.gatun.tensor.DType;
import io.gatun.tests.CommandLineTest.Result;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code gatun adapters} as a shell sees it. */
@Timeout(120)
class AdaptersCommandTest {
  @TempDir Path folder;

  @BeforeEach
  void files() throws IOException {
    MadeModel.write(
        folder.resolve("m.gguf"), ModelShape.tiny("llama").withLayers(2), DType.Q8_0, 1);
    AdapterFile.write(lora("blk.1.attn_q", 256, 4, 1), DType.F32, folder.resolve("one.gguf"));
    AdapterFile.write(lora("blk.1.attn_q", 256, 2, 2), DType.F16, folder.resolve("two.gguf"));
    AdapterFile.write(lora("blk.7.attn_q", 64, 2, 2), DType.F32, folder.resolve("other.gguf"));
    AdapterFile.write(
        new SoftPrompt("s", "llama", 2, 256, new float[512]),
        DType.F32,
        folder.resolve("soft.gguf"));
    AdapterFile.write(
        new ControlVector("v", "llama", 256, Map.of(1, new float[256])),
        DType.F32,
        folder.resolve("vector.gguf"));
  }

  @Test
  void inspect_shows_what_is_changed_and_whether_it_fits() throws Exception {
    Result result = adapters("inspect", "one.gguf", "-m", "m.gguf");
    assertThat(result.err()).isEmpty();
    assertThat(result.out())
        .startsWith("adapter   one: LoRA of rank 4 on 1 matrices\nfor       llama\n")
        .contains("\nfits      ")
        .containsPattern("blk.1.attn_q +\\[256, 256\\] +rank 4 +scale 0.5");
    assertThat(adapters("inspect", "soft.gguf").out()).contains("2 rows of 256");
    assertThat(adapters("inspect", "vector.gguf").out()).contains("behind layer 1 ");
    JsonNode json = JsonMapper.shared().readTree(adapters("inspect", "two.gguf", "--json").out());
    assertThat(json.get("kind").asString()).isEqualTo("lora");
    assertThat(json.get("matrices").get("blk.1.attn_q").get("rank").asInt()).isEqualTo(2);
  }

  @Test
  void merge_writes_a_model_that_runs_and_shows_how_far_it_is() throws Exception {
    Result result = adapters("merge", "m.gguf", "one.gguf", "two.gguf=-0.5", "-o", "merged.gguf");
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.out()).contains("merged.gguf: ");
    assertThat(result.err()).contains("merging 100%").doesNotContain("gatun:");
    GgufFile merged = GgufFile.open(folder.resolve("merged.gguf"));
    assertThat(merged.tensor("blk.1.attn_q.weight").orElseThrow().type()).isEqualTo(DType.Q8_0);
    assertThat(merged.metadata().texts("general.merged_adapters").orElseThrow())
        .containsExactly("one=1.0", "two=-0.5");
    assertThat(
            CommandLineTest.gatun(
                    "", "run", path("merged.gguf"), "--ids", "1,2,3", "-n", "3", "--greedy")
                .code())
        .isZero();
    adapters("merge", "m.gguf", "one.gguf", "-o", "f16.gguf", "--type", "f16");
    assertThat(
            GgufFile.open(folder.resolve("f16.gguf"))
                .tensor("blk.1.attn_q.weight")
                .orElseThrow()
                .type())
        .isEqualTo(DType.F16);
  }

  @Test
  void convert_goes_to_peft_and_back() throws Exception {
    Result result = adapters("convert", "one.gguf", "-m", "m.gguf", "-o", "peft");
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(folder.resolve("peft/adapter_config.json")).exists();
    assertThat(adapters("convert", "peft", "-m", "m.gguf", "-o", "back.gguf").code()).isZero();
    LowRank one = only("one.gguf");
    LowRank back = only("back.gguf");
    assertThat(back.a()).containsExactly(one.a());
    assertThat(back.b()).containsExactly(one.b());
  }

  @Test
  void combine_has_three_methods() throws Exception {
    for (List<String> method :
        List.of(
            List.of("--method", "linear"),
            List.of("--method", "svd", "--rank", "3"),
            List.of("--method", "ties", "--density", "0.5"))) {
      List<String> args =
          new ArrayList<>(List.of("combine", "one.gguf=0.5", "two.gguf", "-o", "sum.gguf"));
      args.addAll(method);
      Result result = adapters(args.toArray(String[]::new));
      assertThat(result.code()).as(result.err()).isZero();
      int rank = method.contains("linear") ? 6 : method.contains("svd") ? 3 : 4;
      assertThat(only("sum.gguf").rank()).isEqualTo(rank);
    }
  }

  @Test
  void failures_are_one_line_and_a_code() throws Exception {
    Files.writeString(folder.resolve("text.gguf"), "too short");
    for (List<String> args :
        List.of(
            List.of("inspect", "nowhere.gguf"),
            List.of("inspect", "text.gguf"),
            List.of("inspect", "m.gguf"),
            List.of("inspect", "other.gguf", "-m", "m.gguf"),
            List.of("merge", "m.gguf", "other.gguf", "-o", "x.gguf"),
            List.of("merge", "m.gguf", "soft.gguf", "-o", "x.gguf"),
            List.of("merge", "m.gguf", "one.gguf", "-o", "m.gguf"),
            List.of("merge", "m.gguf", "one.gguf", "-o", "x.gguf", "--type", "i8"),
            List.of("merge", "m.gguf", "one.gguf=x", "-o", "x.gguf"),
            List.of("combine", "one.gguf", "soft.gguf", "-o", "x.gguf"),
            List.of("combine", "one.gguf", "other.gguf", "one.gguf", "-o", "x.gguf"),
            List.of("combine", "one.gguf", "--method", "svd", "--rank", "-1", "-o", "x.gguf"),
            List.of("combine", "one.gguf", "--method", "ties", "--density", "2", "-o", "x.gguf"),
            List.of("combine", "one.gguf", "--type", "q8_0", "-o", "x.gguf"),
            List.of("convert", "soft.gguf", "-m", "m.gguf", "-o", "folder"),
            List.of("convert", "x.safetensors", "-m", "m.gguf", "-o", "x.gguf"))) {
      Result result = adapters(args.toArray(String[]::new));
      assertThat(result.code()).as("%s", args).isEqualTo(1);
      assertThat(result.err().strip().lines()).as("%s", args).hasSize(1);
      assertThat(result.err()).startsWith("gatun: ").doesNotContain("Exception");
      assertThat(result.out()).isEmpty();
      assertThat(folder.resolve("x.gguf")).doesNotExist();
    }
    for (List<String> args : List.of(List.<String>of(), List.of("merge", "m.gguf"))) {
      Result usage = adapters(args.toArray(String[]::new));
      assertThat(usage.code()).isEqualTo(2);
      assertThat(usage.err().strip().lines()).hasSize(1);
    }
  }

  /** Runs with the names of files made whole. */
  private Result adapters(String... args) throws Exception {
    String[] all = new String[args.length + 1];
    all[0] = "adapters";
    for (int i = 0; i < args.length; i++) {
      boolean file = args[i].matches("(\\w+\\.(gguf|safetensors)(=.*)?|peft|folder)");
      all[i + 1] = file ? path(args[i]) : args[i];
    }
    return CommandLineTest.gatun("", all);
  }

  private String path(String name) {
    return folder.resolve(name).toString();
  }

  private LowRank only(String file) throws IOException {
    LoraAdapter lora = (LoraAdapter) AdapterFile.read(folder.resolve(file));
    return lora.deltas().get("blk.1.attn_q");
  }

  private static LoraAdapter lora(String matrix, int width, int rank, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] a = new float[width * rank];
    float[] b = new float[width * rank];
    for (int i = 0; i < a.length; i++) {
      a[i] = (float) random.nextDouble(-0.1, 0.1);
      b[i] = (float) random.nextDouble(-0.1, 0.1);
    }
    LowRank delta = new LowRank(width, width, rank, 1, a, b, 0.5f);
    return new LoraAdapter("it", "llama", Map.of(matrix, delta), Map.of());
  }
}
