package io.gatun.adapters.peft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.bindings.GatunException;
import io.gatun.model.ModelFormatException;
import io.gatun.model.UnsupportedModelException;
import io.gatun.model.adapter.LoraAdapter;
import io.gatun.model.adapter.LowRank;
import io.gatun.model.adapter.SoftPrompt;
import io.gatun.tensor.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PeftFormatTest {
  private static final BaseModel LLAMA = new BaseModel("llama", List.of(4), List.of(2));
  private static final BaseModel QWEN = new BaseModel("qwen3", List.of(4), List.of(2));
  private static final String MODULE = "base_model.model.model.layers.1.self_attn.q_proj.lora_";

  @TempDir Path folder;

  /** W' = P·W for Llama's q, so Δ' = P·B·A: written out with an explicit matrix P. */
  @Test
  void rows_of_q_and_k_are_paired_as_llama_cpp_pairs_them() throws IOException {
    int heads = 4;
    int dim = 6;
    int in = 5;
    LowRank q = Deltas.random(in, heads * dim, 3, 1, 2, 3);
    write(config(3, 6), q);
    LowRank read = Deltas.only(PeftFormat.read(folder, LLAMA));
    double[][] original = Deltas.dense(q)[0];
    double[][] permuted = Deltas.dense(read)[0];
    double[][] p = new double[heads * dim][heads * dim];
    for (int h = 0; h < heads; h++) {
      for (int i = 0; i < dim / 2; i++) {
        p[h * dim + 2 * i][h * dim + i] = 1;
        p[h * dim + 2 * i + 1][h * dim + dim / 2 + i] = 1;
      }
    }
    for (int row = 0; row < heads * dim; row++) {
      for (int column = 0; column < in; column++) {
        double expected = 0;
        for (int k = 0; k < heads * dim; k++) {
          expected += p[row][k] * original[k][column];
        }
        assertThat(permuted[row][column]).isEqualTo(expected);
      }
    }
    LowRank kept = Deltas.only(PeftFormat.read(folder, QWEN));
    assertThat(kept.b()).as("Qwen's rows stay").containsExactly(q.b());
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama", "qwen3", "qwen3moe", "phi3", "gpt2", "deepseek2"})
  void what_is_written_is_read_again(String architecture) throws IOException {
    BaseModel base = new BaseModel(architecture, List.of(4), List.of(2));
    Map<String, LowRank> deltas = new TreeMap<>();
    if (architecture.equals("phi3") || architecture.equals("gpt2")) {
      deltas.put("blk.0.attn_qkv", Deltas.random(16, 32, 2, 1, 2, 1));
    } else {
      deltas.put("blk.0.attn_q", Deltas.random(16, 16, 2, 1, 2, 1));
      deltas.put("blk.0.attn_k", Deltas.random(16, 8, 4, 1, 0.5f, 2));
      deltas.put("output", Deltas.random(16, 9, 2, 1, 2, 3));
    }
    if (architecture.equals("deepseek2")) {
      deltas.put("blk.1.attn_kv_a_mqa", Deltas.random(16, 12, 2, 1, 2, 7));
      deltas.put("blk.1.ffn_up_shexp", Deltas.random(16, 12, 2, 1, 2, 8));
    }
    deltas.put("blk.11.ffn_up", Deltas.random(16, 24, 3, 1, 1.25f, 4));
    if (architecture.equals("llama") || architecture.equals("qwen3moe")) {
      deltas.put("blk.1.ffn_gate_inp", Deltas.random(16, 4, 2, 1, 2, 5));
      deltas.put("blk.1.ffn_down_exps", Deltas.random(24, 16, 2, 4, 2, 6));
    }
    LoraAdapter lora =
        new LoraAdapter("it", architecture, deltas, Map.of("general.base_model.0.name", "a/b"));
    Path target = folder.resolve("out");
    PeftFormat.write(lora, base, DType.F32, target);
    PeftFormat.write(lora, base, DType.F32, target); // over the old one
    LoraAdapter read = (LoraAdapter) PeftFormat.read(target, base);
    assertThat(read.name()).isEqualTo("out");
    assertThat(read.metadata()).isEqualTo(lora.metadata());
    assertThat(read.deltas().keySet()).isEqualTo(lora.deltas().keySet());
    deltas.forEach((name, d) -> {
      LowRank again = Deltas.get(read.deltas(), name);
      assertThat(again.a()).containsExactly(d.a());
      assertThat(again.b()).containsExactly(d.b());
      assertThat(again.scale()).isEqualTo(d.scale());
      assertThat(again.experts()).isEqualTo(d.experts());
    });
    try (var files = Files.list(target)) {
      assertThat(files).as("no temporary file is left").hasSize(2);
    }
  }

  @Test
  void half_precision_is_read_and_written() throws IOException {
    LowRank q = Deltas.random(8, 16, 2, 1, 2, 1);
    for (DType type : List.of(DType.F16, DType.BF16)) {
      PeftFormat.write(Deltas.lora("it", "blk.0.attn_q", q), LLAMA, type, folder);
      LowRank read = Deltas.only(PeftFormat.read(folder, LLAMA));
      assertThat(Deltas.farthest(Deltas.dense(read), Deltas.dense(q))).isLessThan(0.05);
    }
  }

  @Test
  void alpha_patterns_and_rank_stabilised_scales() throws IOException {
    LowRank q = Deltas.random(8, 16, 4, 1, 1, 1);
    write(config(4, 6), q);
    assertThat(Deltas.only(PeftFormat.read(folder, QWEN)).scale()).isEqualTo(1.5f);
    write("{\"peft_type\":\"LORA\",\"lora_alpha\":6,\"use_rslora\":true}", q);
    assertThat(Deltas.only(PeftFormat.read(folder, QWEN)).scale()).isEqualTo(3f);
    write(
        "{\"peft_type\":\"LORA\",\"lora_alpha\":6,\"alpha_pattern\":{\"v_proj\":1,\"q_proj\":8}}",
        q);
    assertThat(Deltas.only(PeftFormat.read(folder, QWEN)).scale()).isEqualTo(2f);
    write("{\"peft_type\":\"LORA\",\"lora_alpha\":6,\"alpha_pattern\":{\"(a+)+b\":1}}", q);
    assertThatThrownBy(() -> PeftFormat.read(folder, QWEN))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("(a+)+b");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"use_dora\":true",
        "\"modules_to_save\":[\"lm_head\"]",
        "\"lora_bias\":true",
        "\"trainable_token_indices\":[1]",
        "\"peft_type\":\"IA3\""
      })
  void what_a_low_rank_change_cannot_say_is_refused(String field) throws IOException {
    String type = field.contains("peft_type") ? "" : "\"peft_type\":\"LORA\",";
    write("{" + type + "\"lora_alpha\":2," + field + "}", Deltas.random(8, 16, 2, 1, 1, 1));
    assertThatThrownBy(() -> PeftFormat.read(folder, QWEN))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("adapter_config.json")
        .hasMessageContaining(field.substring(1, field.indexOf('"', 1)));
  }

  @Test
  void unknown_modules_and_unpaired_tensors_are_named() throws IOException {
    Files.writeString(folder.resolve("adapter_config.json"), config(1, 1));
    Safetensors.Part row = new Safetensors.Part(List.of(1L, 4L), new float[4]);
    refused(Map.of(MODULE + "A.weight", row), "no lora_B");
    refused(Map.of(MODULE + "magnitude_vector.weight", row), "DoRA");
    refused(Map.of("base_model.model.model.embed_tokens.weight", row), "embedding");
    refused(Map.of(MODULE + "A.weight", row, MODULE + "B.weight", row), "A is [1, 4] and B [1, 4]");
    Safetensors.Part column = new Safetensors.Part(List.of(3L, 1L), new float[3]);
    refused(
        Map.of(
            "base_model.model.model.layers.0.mystery.lora_A.weight", row,
            "base_model.model.model.layers.0.mystery.lora_B.weight", column),
        "mystery");
    refused(Map.of(MODULE + "A.weight", row, MODULE + "B.weight", column), "3 rows");
    Safetensors.Part broken =
        new Safetensors.Part(List.of(1L, 4L), new float[] {0, Float.NaN, 0, 0});
    refused(Map.of(MODULE + "A.weight", broken, MODULE + "B.weight", column), "NaN");
  }

  @Test
  void prompt_tuning_is_a_soft_prompt() throws IOException {
    Files.writeString(folder.resolve("adapter_config.json"), "{\"peft_type\":\"PROMPT_TUNING\"}");
    Path file = folder.resolve("adapter_model.safetensors");
    Safetensors.write(
        file,
        DType.F32,
        Map.of(
            "prompt_embeddings",
            new Safetensors.Part(List.of(2L, 3L), new float[] {1, 2, 3, 4, 5, 6})));
    SoftPrompt prompt = (SoftPrompt) PeftFormat.read(folder, QWEN);
    assertThat(prompt.rows()).isEqualTo(2);
    assertThat(prompt.width()).isEqualTo(3);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[]",
        "nonsense",
        "{\"x\":1}",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0]}}",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,17]}}",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[8,24]}}",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[16,0]}}",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[-16,0]}}",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[2,2.5],\"data_offsets\":[0,16]}}",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[-2,-2],\"data_offsets\":[0,16]}}",
        "{\"x\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[0,16]}}",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}}",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1,4],\"data_offsets\":[0,16]}}",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,16]}}"
      })
  void broken_headers_are_refused(String header) throws IOException {
    Path file = folder.resolve("x.safetensors");
    Files.write(file, bytes(header, header.length(), 16));
    assertThatThrownBy(() -> Safetensors.open(file))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("x.safetensors");
  }

  @Test
  void header_lengths_are_compared_with_the_file() throws IOException {
    Path file = folder.resolve("x.safetensors");
    for (long length : new long[] {-1, 0, 3, 1000, Long.MAX_VALUE, 1L << 40}) {
      Files.write(file, bytes("{}", length, 0));
      assertThatThrownBy(() -> Safetensors.open(file)).isInstanceOf(ModelFormatException.class);
    }
    Files.write(file, new byte[5]);
    assertThatThrownBy(() -> Safetensors.open(file)).hasMessageContaining("5 bytes");
  }

  @Test
  void changed_bytes_are_read_or_refused() throws IOException {
    PeftFormat.write(
        Deltas.lora("it", "blk.0.attn_q", Deltas.random(8, 16, 2, 1, 2, 1)),
        LLAMA,
        DType.F32,
        folder);
    for (String name : List.of("adapter_model.safetensors", "adapter_config.json")) {
      Path file = folder.resolve(name);
      byte[] original = Files.readAllBytes(file);
      int header = Math.min(original.length, 400);
      for (int round = 0; round < 2000; round++) {
        SplittableRandom random = new SplittableRandom(round);
        byte[] changed = original.clone();
        for (int e = 0; e <= random.nextInt(3); e++) {
          changed[random.nextInt(header)] = (byte) random.nextInt(32, 127);
        }
        if (random.nextInt(4) == 0) {
          changed = Arrays.copyOf(changed, random.nextInt(changed.length));
        }
        Files.write(file, changed);
        try {
          var _ = PeftFormat.read(folder, LLAMA);
        } catch (GatunException refused) {
          assertThat(refused.getMessage()).isNotBlank();
        }
      }
      Files.write(file, original);
    }
  }

  /** A real adapter of GPT-2: c_attn and c_proj, rank 8, α 32. */
  @Test
  void a_real_adapter_is_read() throws IOException {
    Path root = Path.of(System.getProperty("gatun.root", "."));
    Path sample =
        root.resolve(
                "../shared/models/lora-format-samples/gpt2-tigrinya-r8.adapter_model.safetensors")
            .normalize();
    Assumptions.assumeTrue(Files.exists(sample), () -> "skipped: " + sample + " is not there");
    var _ = Files.copy(sample, folder.resolve("adapter_model.safetensors"));
    Files.writeString(
        folder.resolve("adapter_config.json"),
        "{\"peft_type\":\"LORA\",\"r\":8,\"lora_alpha\":32,\"fan_in_fan_out\":true}");
    BaseModel gpt2 = new BaseModel("gpt2", List.of(12), List.of(12));
    LoraAdapter lora = (LoraAdapter) PeftFormat.read(folder, gpt2);
    assertThat(lora.deltas()).hasSize(36);
    LowRank qkv = Deltas.get(lora.deltas(), "blk.11.attn_qkv");
    assertThat(qkv.in()).isEqualTo(768);
    assertThat(qkv.out()).isEqualTo(3 * 768);
    assertThat(qkv.scale()).isEqualTo(4);
    Path again = folder.resolve("again");
    PeftFormat.write(lora, gpt2, DType.F32, again);
    try (Safetensors one = Safetensors.open(sample);
        Safetensors two = Safetensors.open(again.resolve("adapter_model.safetensors"))) {
      assertThat(two.entries().keySet()).isEqualTo(one.entries().keySet());
      for (Safetensors.Entry entry : one.entries().values()) {
        assertThat(two.values(Deltas.get(two.entries(), entry.name())))
            .containsExactly(one.values(entry));
      }
    }
  }

  private void refused(Map<String, Safetensors.Part> parts, String message) throws IOException {
    Path file = folder.resolve("adapter_model.safetensors");
    Files.deleteIfExists(file);
    Safetensors.write(file, DType.F32, parts);
    assertThatThrownBy(() -> PeftFormat.read(folder, LLAMA))
        .isInstanceOf(GatunException.class)
        .hasMessageContaining(message);
  }

  private static String config(int rank, int alpha) {
    return "{\"peft_type\":\"LORA\",\"r\":%d,\"lora_alpha\":%d}".formatted(rank, alpha);
  }

  /** q of layer 1 as PEFT would save it. */
  private void write(String config, LowRank q) throws IOException {
    Files.writeString(folder.resolve("adapter_config.json"), config);
    Path file = folder.resolve("adapter_model.safetensors");
    Files.deleteIfExists(file);
    Map<String, Safetensors.Part> parts = new TreeMap<>();
    parts.put(
        MODULE + "A.weight", new Safetensors.Part(List.of((long) q.rank(), (long) q.in()), q.a()));
    parts.put(
        MODULE + "B.weight", new Safetensors.Part(List.of((long) q.out(), (long) q.rank()), q.b()));
    Safetensors.write(file, DType.F32, parts);
  }

  private static byte[] bytes(String header, long length, int data) {
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + text.length + data)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(length)
        .put(text)
        .array();
  }
}
