package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import io.gatun.bindings.GatunException;
import io.gatun.model.ModelFormatException;
import io.gatun.model.UnsupportedModelException;
import io.gatun.model.adapter.Adapter;
import io.gatun.model.adapter.AdapterCheck;
import io.gatun.model.adapter.AdapterFile;
import io.gatun.model.adapter.ControlVector;
import io.gatun.model.adapter.KeyValuePrefix;
import io.gatun.model.adapter.LoraAdapter;
import io.gatun.model.adapter.LowRank;
import io.gatun.model.adapter.SoftPrompt;
import io.gatun.model.gguf.GgufFile;
import io.gatun.model.gguf.GgufValue;
import io.gatun.model.gguf.GgufWriter;
import io.gatun.tensor.DType;
import io.gatun.tensor.Quantization;
import io.gatun.tensor.Shape;
import io.gatun.tensor.ShapeException;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Adapters as files: what is written is read, and what strangers wrote harms nobody. */
class AdapterFileTest {
  @TempDir Path folder;

  @Test
  void loras_are_read_as_they_were_written() throws IOException {
    Map<String, LowRank> deltas = new TreeMap<>();
    deltas.put("blk.0.attn_q", delta(32, 48, 4, 1, 2));
    deltas.put("blk.0.ffn_up_exps", delta(32, 16, 4, 3, 2));
    deltas.put("output", delta(32, 10, 4, 1, 2));
    requireKept(new LoraAdapter("it", "llama", deltas, Map.of("adapter.lora.task_name", "x")));
  }

  /** One α for all cannot say this, so it is 0, and B is scaled. */
  @Test
  void scales_that_no_alpha_gives_go_into_b() throws IOException {
    Map<String, LowRank> deltas = new TreeMap<>();
    deltas.put("blk.0.attn_q", delta(8, 8, 4, 1, 2));
    deltas.put("blk.0.attn_k", delta(8, 8, 2, 1, 0.75f));
    deltas.put("blk.0.attn_v", delta(8, 8, 1, 1, 0));
    Path file = write(new LoraAdapter("it", "llama", deltas, Map.of()), DType.F32);
    assertThat(GgufFile.open(file).metadata().number("adapter.lora.alpha")).contains(0.0);
    LoraAdapter read = (LoraAdapter) AdapterFile.read(file);
    deltas.forEach((name, d) -> {
      LowRank again = read.deltas().get(name);
      assertThat(again.scale()).isEqualTo(1);
      for (int i = 0; i < d.b().length; i++) {
        assertThat(again.b()[i]).isEqualTo(d.b()[i] * d.scale());
      }
    });
  }

  @Test
  void soft_prompts_and_control_vectors_are_read_as_they_were_written() throws IOException {
    SoftPrompt soft = new SoftPrompt("s", "qwen3", 3, 4, values(12));
    SoftPrompt readSoft = (SoftPrompt) AdapterFile.read(write(soft, DType.F32));
    assertThat(readSoft.values()).containsExactly(soft.values());
    assertThat(readSoft.rows()).isEqualTo(3);
    assertThat(readSoft.architecture()).isEqualTo("qwen3");
    assertThat(((SoftPrompt) AdapterFile.read(write(soft, DType.F16))).values()[5])
        .isCloseTo(soft.values()[5], Offset.offset(1e-3f));
    ControlVector vector =
        new ControlVector("v", "llama", 4, Map.of(1, values(4), 30, new float[4]));
    ControlVector readVector = (ControlVector) AdapterFile.read(write(vector, DType.F32));
    assertThat(readVector.directions().keySet()).containsExactly(1, 30);
    assertThat(readVector.directions().get(1)).containsExactly(vector.directions().get(1));
    assertThat(readVector.architecture()).isEqualTo("llama");
    assertThatThrownBy(
            () -> write(new ControlVector("v", "llama", 1, Map.of(0, new float[1])), DType.F32))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("layer 0");
  }

  @Test
  void doras_and_prefixes_are_read_as_they_were_written() throws IOException {
    LoraAdapter dora = dora("d");
    Path file = write(dora, DType.F16);
    assertThat(GgufFile.open(file).metadata().text("adapter.type")).contains("dora");
    LoraAdapter read = (LoraAdapter) AdapterFile.read(file);
    assertThat(read.rescales()).isTrue();
    assertThat(read.deltas().get("blk.0.attn_q").gain()).isEqualTo(values(16));
    assertThat(read.deltas().get("blk.0.attn_k").rescales()).isFalse();
    KeyValuePrefix prefix = prefix();
    KeyValuePrefix again = (KeyValuePrefix) AdapterFile.read(write(prefix, DType.F32));
    assertThat(again.rows()).isEqualTo(3);
    assertThat(again.keyWidth()).isEqualTo(4);
    assertThat(again.valueWidth()).isEqualTo(6);
    assertThat(again.keys()).hasSize(2).allMatch(k -> Arrays.equals(k, values(12)));
    assertThat(again.values()).hasSize(2).allMatch(v -> Arrays.equals(v, values(18)));
  }

  @Test
  void broken_doras_and_prefixes_are_named() throws IOException {
    refused("lora_gain", w -> vector(w, "output.weight.lora_gain", 4), pair());
    refused(
        "does not go with B",
        w -> vector(w.put("adapter.type", "dora"), "output.weight.lora_gain", 5),
        pair());
    refused(
        "no x.weight.lora_a",
        w -> vector(w.put("adapter.type", "dora"), "x.weight.lora_gain", 4),
        pair());
    refused("without keys", w -> w.put("adapter.type", "prefix"), header());
    refused("blk.0.prefix_k", w -> w.put("adapter.type", "prefix"), pair());
    refused(
        "as many values",
        w -> {
          tensor(w.put("adapter.type", "prefix"), "blk.0.prefix_k", 4, 2);
          tensor(w, "blk.0.prefix_v", 4, 3);
        },
        header());
    refused(
        "differs in shape",
        w -> {
          w.put("adapter.type", "prefix");
          for (int layer = 0; layer < 2; layer++) {
            tensor(w, "blk." + layer + ".prefix_k", 4, 2 + layer);
            tensor(w, "blk." + layer + ".prefix_v", 4, 2);
          }
        },
        header());
  }

  private static void vector(GgufWriter writer, String name, int length) {
    writer.tensor(name, DType.F32, Shape.of(length), f32(new float[length]));
  }

  private static LoraAdapter dora(String name) {
    Map<String, LowRank> deltas = new TreeMap<>();
    LowRank plain = delta(32, 16, 4, 1, 2);
    deltas.put("blk.0.attn_k", plain);
    deltas.put("blk.0.attn_q", new LowRank(32, 16, 4, 1, plain.a(), plain.b(), 2, values(16)));
    return new LoraAdapter(name, "llama", deltas, Map.of());
  }

  private static KeyValuePrefix prefix() {
    return new KeyValuePrefix(
        "p", "llama", 3, 4, 6, List.of(values(12), values(12)), List.of(values(18), values(18)));
  }

  /** Adapters of llama.cpp may have any type. */
  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F16", "BF16", "Q8_0", "Q4_0", "Q4_K", "Q6_K", "MXFP4", "IQ4_XS"})
  void any_type_of_weights_is_read(DType type) throws IOException {
    float[] a = values(256 * 2);
    float[] b = values(256 * 4);
    Path file = folder.resolve("it.gguf");
    header()
        .tensor("output.weight.lora_a", type, Shape.of(256, 2), Quantization.quantize(type, a, 256))
        .tensor("output.weight.lora_b", DType.F32, Shape.of(2, 512), f32(b))
        .tensor("blk.0.attn_norm.weight", DType.F32, Shape.of(4), f32(new float[4]))
        .write(file);
    LowRank read = ((LoraAdapter) AdapterFile.read(file)).deltas().get("output");
    double error = 0;
    for (int i = 0; i < a.length; i++) {
      error = Math.max(error, Math.abs(read.a()[i] - a[i]));
    }
    assertThat(error).isLessThan(type == DType.MXFP4 ? 0.3 : 0.15);
    assertThat(read.b()).containsExactly(b);
  }

  @Test
  void every_broken_field_is_named() throws IOException {
    refused("general.architecture", w -> {}, new GgufWriter().put("adapter.type", "lora"));
    refused(
        "it has no key adapter.type", w -> {}, new GgufWriter().put("general.architecture", "x"));
    refused("general.type", w -> w.put("general.type", "model"), header());
    refused("adapter.type", w -> w.put("adapter.type", 3), header());
    refused("\"ia3\"", w -> w.put("adapter.type", "ia3"), header());
    refused("adapter.lora.alpha", w -> w.put("adapter.lora.alpha", "x"), header());
    refused("adapter.lora.alpha", w -> w.put("adapter.lora.alpha", Float.NaN), header());
    refused("without tensors", w -> {}, header());
    refused("only", w -> tensor(w, "blk.0.attn_q.weight", 4, 2), header());
    refused("no output.weight.lora_b", w -> tensor(w, "output.weight.lora_a", 4, 2), header());
    refused("no output.weight.lora_a", w -> tensor(w, "output.weight.lora_b", 4, 2), header());
    refused("token embedding", w -> pair(w, "token_embd", 4, 2, 2, 4), header());
    refused("does not go with A", w -> pair(w, "output", 4, 2, 3, 4), header());
    refused("invocation_tokens", w -> w.put("adapter.alora.invocation_tokens", "x"), pair());
    refused(
        "holds NaN",
        w ->
            w.tensor("x.weight.lora_a", DType.F32, Shape.of(1), f32(new float[] {Float.NaN}))
                .tensor("x.weight.lora_b", DType.F32, Shape.of(1), f32(new float[1])),
        header());
    refused(
        "holds no weights",
        w -> w.tensor("x.weight.lora_a", DType.I32, Shape.of(2), new byte[8]),
        header());
    GgufWriter soft = new GgufWriter().put("general.architecture", "x");
    refused("needs this tensor", w -> {}, soft.put("adapter.type", "soft_prompt"));
    refused(
        "is no matrix",
        w -> w.tensor("soft_prompt", DType.F32, Shape.of(1, 2, 2), new byte[16]),
        soft);
  }

  @Test
  void every_broken_direction_is_named() throws IOException {
    for (String name :
        List.of(
            "direction.0",
            "direction.-1",
            "direction.01",
            "direction.x",
            "direction.99999999999",
            "direction.1.x",
            "other.1",
            "direction")) {
      refused(name, w -> tensor(w, name, 4, 1), vector());
    }
    refused(
        "differs",
        w -> {
          tensor(w, "direction.1", 4, 1);
          tensor(w, "direction.2", 5, 1);
        },
        vector());
    refused("differs", w -> tensor(w, "direction.1", 4, 2), vector());
    refused("F16", w -> w.tensor("direction.1", DType.F16, Shape.of(4), new byte[8]), vector());
    refused("without directions", w -> {}, vector());
    refused("model_hint", w -> w.put("controlvector.model_hint", 1), vector());
  }

  /** A header may let many tensors share the same bytes of a small file. */
  @Test
  void overlapping_tensors_are_refused_before_memory_is_set_aside() throws IOException {
    Path file = folder.resolve("x.gguf");
    GgufWriter writer = header();
    pair(writer, "output", 64, 64, 64, 64);
    writer.write(file);
    byte[] bytes = Files.readAllBytes(file);
    // The second tensor's offset follows its name, its rank, two lengths and its type.
    byte[] name = "output.weight.lora_b".getBytes(StandardCharsets.US_ASCII);
    int at = 0;
    while (!Arrays.equals(bytes, at, at + name.length, name, 0, name.length)) {
      at++;
    }
    Arrays.fill(bytes, at + name.length + 24, at + name.length + 32, (byte) 0);
    Files.write(file, Arrays.copyOf(bytes, bytes.length - 64 * 64 * 4));
    assertThatThrownBy(() -> AdapterFile.read(file))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("overlap");
  }

  @Test
  void changed_files_are_read_or_refused() throws IOException {
    Map<String, LowRank> deltas = new TreeMap<>();
    deltas.put("blk.0.attn_q", delta(32, 16, 4, 1, 2));
    deltas.put("blk.0.ffn_up_exps", delta(32, 16, 4, 3, 2));
    List<Adapter> adapters =
        List.of(
            new LoraAdapter("it", "llama", deltas, Map.of("adapter.lora.task_name", "x")),
            dora("d"),
            prefix(),
            new SoftPrompt("s", "llama", 4, 32, values(128)),
            new ControlVector("v", "llama", 32, Map.of(1, values(32), 3, values(32))));
    Path file = folder.resolve("changed.gguf");
    for (Adapter adapter : adapters) {
      byte[] original = Files.readAllBytes(write(adapter, DType.F32));
      for (int round = 0; round < 3000; round++) {
        SplittableRandom random = new SplittableRandom(round);
        byte[] changed = original.clone();
        for (int e = 0; e <= random.nextInt(4); e++) {
          changed[random.nextInt(Math.min(changed.length, 700))] = (byte) random.nextInt();
        }
        if (random.nextInt(8) == 0) {
          changed = Arrays.copyOf(changed, random.nextInt(changed.length));
        }
        Files.write(file, changed);
        try {
          var _ = AdapterFile.read(file);
        } catch (GatunException refused) {
          assertThat(refused.getMessage()).isNotBlank();
        } catch (RuntimeException e) {
          fail("%s, round %d".formatted(adapter, round), e);
        }
      }
    }
  }

  @Test
  void an_adapter_of_another_model_is_refused_with_both_shapes() throws IOException {
    ModelShape shape = ModelShape.tiny("llama").withLayers(2);
    GgufFile model = GgufFile.open(MadeModel.write(folder.resolve("m.gguf"), shape, DType.F32, 1));
    AdapterCheck.require(lora("blk.1.attn_q", delta(256, 256, 2, 1, 1)), model);
    for (Map.Entry<Adapter, String> wrong :
        Map.<Adapter, String>of(
                lora("blk.1.attn_q", delta(128, 256, 2, 1, 1)),
                "the adapter it changes a blk.1.attn_q.weight of [128, 256], but that of m.gguf is [256, 256]",
                lora("blk.2.attn_q", delta(256, 256, 2, 1, 1)),
                "the adapter it changes blk.2.attn_q.weight, which m.gguf does not have",
                new LoraAdapter(
                    "it", "qwen3", lora("output", delta(1, 1, 1, 1, 1)).deltas(), Map.of()),
                "the adapter it is for the architecture qwen3, but m.gguf is llama",
                new SoftPrompt("soft", "llama", 1, 255, new float[255]),
                "the adapter soft has rows of 255, but the embeddings of m.gguf have 256",
                new ControlVector("v", "llama", 256, Map.of(2, new float[256])),
                "the adapter v has a direction for layer 2, but m.gguf has 2 layers")
            .entrySet()) {
      assertThatThrownBy(() -> AdapterCheck.require(wrong.getKey(), model))
          .isInstanceOf(ShapeException.class)
          .hasMessage(wrong.getValue());
    }
    AdapterCheck.require(
        new ControlVector("v", "", 256, Map.of(1, new float[256])), model); // for any
  }

  @Test
  void a_model_is_no_adapter() {
    ModelShape shape = ModelShape.tiny("llama").withLayers(1);
    Path model = MadeModel.write(folder.resolve("m.gguf"), shape, DType.F32, 1);
    assertThatThrownBy(() -> AdapterFile.read(model))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("is a model, not an adapter");
  }

  private void requireKept(LoraAdapter lora) throws IOException {
    LoraAdapter read = (LoraAdapter) AdapterFile.read(write(lora, DType.F32));
    assertThat(read.name()).isEqualTo("written");
    assertThat(read.architecture()).isEqualTo(lora.architecture());
    assertThat(read.metadata()).isEqualTo(lora.metadata());
    assertThat(read.deltas().keySet()).isEqualTo(lora.deltas().keySet());
    lora.deltas()
        .forEach((name, d) -> {
          LowRank again = read.deltas().get(name);
          assertThat(again.scale()).isEqualTo(d.scale());
          assertThat(again.experts()).isEqualTo(d.experts());
          assertThat(again.a()).containsExactly(d.a());
          assertThat(again.b()).containsExactly(d.b());
        });
    try (var files = Files.list(folder)) {
      assertThat(files).as("no temporary file is left").hasSize(1);
    }
  }

  private Path write(Adapter adapter, DType type) throws IOException {
    Path file = folder.resolve("written.gguf");
    AdapterFile.write(adapter, type, file);
    return file;
  }

  private void refused(String message, Consumer<GgufWriter> change, GgufWriter writer)
      throws IOException {
    change.accept(writer);
    Path file = folder.resolve("broken.gguf");
    writer.write(file);
    assertThatThrownBy(() -> AdapterFile.read(file))
        .isInstanceOf(GatunException.class)
        .hasMessageContaining(message)
        .hasMessageContaining("broken.gguf");
  }

  private static GgufWriter header() {
    return new GgufWriter()
        .put("general.type", "adapter")
        .put("general.architecture", "llama")
        .put("adapter.type", "lora")
        .put("adapter.lora.alpha", 2f);
  }

  private static GgufWriter pair() {
    GgufWriter writer = header();
    pair(writer, "output", 4, 2, 2, 4);
    return writer;
  }

  private static GgufWriter vector() {
    return new GgufWriter()
        .put("general.architecture", "controlvector")
        .put("controlvector.layer_count", new GgufValue.Int(5, 1));
  }

  private static void pair(GgufWriter out, String matrix, int a0, int a1, int b0, int b1) {
    tensor(out, matrix + ".weight.lora_a", a0, a1);
    tensor(out, matrix + ".weight.lora_b", b0, b1);
  }

  private static void tensor(GgufWriter out, String name, int width, int rows) {
    out.tensor(name, DType.F32, Shape.of(width, rows), new byte[4 * width * rows]);
  }

  private static LoraAdapter lora(String matrix, LowRank delta) {
    return new LoraAdapter("it", "llama", Map.of(matrix, delta), Map.of());
  }

  private static LowRank delta(int in, int out, int rank, int experts, float scale) {
    return new LowRank(
        in, out, rank, experts, values(in * rank * experts), values(rank * out * experts), scale);
  }

  private static float[] values(int count) {
    SplittableRandom random = new SplittableRandom(count);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextDouble(-1, 1);
    }
    return values;
  }

  private static byte[] f32(float[] values) {
    return Quantization.quantize(DType.F32, values, values.length);
  }
}
