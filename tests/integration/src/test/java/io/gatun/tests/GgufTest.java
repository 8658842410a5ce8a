package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.model.ModelFormatException;
import io.gatun.model.UnsupportedModelException;
import io.gatun.model.gguf.GgufFile;
import io.gatun.model.gguf.GgufValue;
import io.gatun.model.gguf.GgufWriter;
import io.gatun.tensor.DType;
import io.gatun.tensor.Shape;
import io.gatun.tests.kit.SharedFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class GgufTest {
  @TempDir Path folder;

  @Test
  void what_is_written_is_read_again() throws IOException {
    GgufWriter writer = everything();
    Path file = folder.resolve("größe 模型.gguf");
    writer.write(file);
    GgufFile read = GgufFile.open(file);
    var meta = read.metadata();
    assertThat(meta.text("text")).contains("ein Wort, 一个词");
    assertThat(meta.integer("u32")).contains(4_000_000_000L);
    assertThat(meta.number("f32")).hasValue(0.1f + 0.0);
    assertThat(meta.flag("bool")).contains(true);
    assertThat(meta.integers("ints").orElseThrow()).containsExactly(-1, 2, -3);
    assertThat(meta.texts("texts").orElseThrow()).containsExactly("a", "", "ü");
    assertThat(meta.values().get("nested")).isEqualTo(nested());
    for (int type : new int[] {0, 1, 2, 3, 4, 5, 10, 11}) {
      assertThat(meta.integer("type" + type)).contains(7L);
    }
    var tensor = read.tensor("second").orElseThrow();
    assertThat(tensor.shape()).isEqualTo(Shape.of(3, 2));
    byte[] bytes = Files.readAllBytes(file);
    assertThat(Arrays.copyOfRange(bytes, (int) tensor.offset(), (int) tensor.offset() + 24))
        .isEqualTo(floats(6));
    try (var files = Files.list(folder)) {
      assertThat(files).as("no temporary file is left").hasSize(1);
    }
  }

  @Test
  void alignment_is_obeyed() throws IOException {
    Path file = folder.resolve("aligned.gguf");
    everything().put("general.alignment", 256).write(file);
    GgufFile read = GgufFile.open(file);
    assertThat(read.tensors()).allMatch(t -> t.offset() % 256 == 0);
  }

  @Test
  void split_files_are_one_model() throws IOException {
    part(0, 2, "first").write(folder.resolve("m-00001-of-00002.gguf"));
    part(1, 2, "second").write(folder.resolve("m-00002-of-00002.gguf"));
    for (String name : List.of("m-00001-of-00002.gguf", "m-00002-of-00002.gguf")) {
      GgufFile file = GgufFile.open(folder.resolve(name));
      assertThat(file.parts()).hasSize(2);
      assertThat(file.tensor("first").orElseThrow().part()).isZero();
      assertThat(file.tensor("second").orElseThrow().part()).isEqualTo(1);
    }
    Files.delete(folder.resolve("m-00002-of-00002.gguf"));
    assertThatThrownBy(() -> GgufFile.open(folder.resolve("m-00001-of-00002.gguf")))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("m-00002-of-00002.gguf is not beside it");
  }

  @Test
  void the_types_are_those_of_ggml() {
    JsonNode types =
        JsonMapper.shared()
            .readTree(SharedFiles.require("data/reference/ggml-types.json").toFile())
            .get("types");
    types
        .properties()
        .forEach(entry -> {
          var type = DType.ofId(entry.getValue().get("id").asInt());
          if (type.isPresent()) {
            assertThat(type.get().blockSize())
                .as(entry.getKey())
                .isEqualTo(entry.getValue().get("block_size").asInt());
            assertThat(type.get().blockBytes())
                .as(entry.getKey())
                .isEqualTo(entry.getValue().get("type_size").asInt());
          } else {
            // Types that ggml 0.23 has not, or that no file may hold.
            assertThat(entry.getKey()).isIn("Q1_0", "Q2_0", "NVFP4", "TQ1_0", "TQ2_0");
          }
        });
    assertThat(DType.ofId(4)).as("Q4_2 was removed from GGML").isEmpty();
    assertThat(DType.ofId(9999)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "GG",
        "GGUF",
        "PK\u0003\u0004 and more than twenty-four bytes",
        "{\"a\": 1}                  "
      })
  void what_is_no_gguf_file_says_so(String content) throws IOException {
    Path file = folder.resolve("x.gguf");
    Files.write(file, content.getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> GgufFile.open(file))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("x.gguf");
  }

  @Test
  void old_and_foreign_versions_are_named() throws IOException {
    Path file = folder.resolve("x.gguf");
    byte[] header = everything().header();
    ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).putInt(4, 1);
    Files.write(file, header);
    assertThatThrownBy(() -> GgufFile.open(file))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("version 1");
    ByteBuffer.wrap(header).order(ByteOrder.BIG_ENDIAN).putInt(4, 3);
    Files.write(file, header);
    assertThatThrownBy(() -> GgufFile.open(file))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("big-endian");
  }

  @Test
  void a_truncated_file_is_refused_with_the_tensor_that_is_cut() throws IOException {
    Path file = folder.resolve("x.gguf");
    everything().write(file);
    byte[] all = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(all, all.length - 32));
    assertThatThrownBy(() -> GgufFile.open(file))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("second")
        .hasMessageContaining("cut off");
  }

  @Test
  void a_claimed_size_is_checked_before_memory_is_taken() throws IOException {
    ByteBuffer huge = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
    huge.putInt(0x46554747).putInt(3).putLong(0).putLong(1);
    huge.putLong(1).put((byte) 'k').putInt(9).putInt(8).putLong(Long.MAX_VALUE / 16);
    Path file = folder.resolve("x.gguf");
    Files.write(file, huge.array());
    assertThatThrownBy(() -> GgufFile.open(file))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("length of k");
  }

  static GgufWriter everything() {
    GgufWriter writer =
        new GgufWriter()
            .put("text", "ein Wort, 一个词")
            .put("u32", new GgufValue.Int(4, 4_000_000_000L))
            .put("f32", 0.1f)
            .put("f64", new GgufValue.Float(12, 0.1))
            .put("bool", true)
            .put("ints", new GgufValue.Ints(5, new long[] {-1, 2, -3}))
            .put("floats", new GgufValue.Floats(6, new double[] {1, 2}))
            .put("texts", new GgufValue.Texts(List.of("a", "", "ü")))
            .put("nested", nested());
    for (int type : new int[] {0, 1, 2, 3, 4, 5, 10, 11}) {
      writer.put("type" + type, new GgufValue.Int(type, 7));
    }
    return writer
        .tensor("first", DType.F32, Shape.of(5), floats(5))
        .tensor("second", DType.F32, Shape.of(3, 2), floats(6));
  }

  private static GgufValue nested() {
    return new GgufValue.Nested(
        List.of(new GgufValue.Texts(List.of("x", "y")), new GgufValue.Texts(List.of())));
  }

  private static GgufWriter part(int number, int count, String tensor) {
    return new GgufWriter()
        .put("split.no", new GgufValue.Int(2, number))
        .put("split.count", new GgufValue.Int(2, count))
        .put("split.tensors.count", new GgufValue.Int(5, 2))
        .tensor(tensor, DType.F32, Shape.of(4), floats(4));
  }

  static byte[] floats(int count) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      bytes.putFloat(i);
    }
    return bytes.array();
  }
}
