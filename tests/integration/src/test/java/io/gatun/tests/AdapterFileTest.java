package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.model.ModelFormatException;
import io.gatun.model.UnsupportedModelException;
import io.gatun.model.adapter.AdapterFile;
import io.gatun.model.adapter.ControlVector;
import io.gatun.model.adapter.LoraAdapter;
import io.gatun.model.adapter.LowRank;
import io.gatun.model.adapter.SoftPrompt;
import io.gatun.model.gguf.GgufWriter;
import io.gatun.tensor.DType;
import io.gatun.tensor.Quantization;
import io.gatun.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.SplittableRandom;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Adapters in files: what is written is read again, and nothing else is. */
class AdapterFileTest {
  @TempDir Path folder;

  private final SplittableRandom random = new SplittableRandom(1);

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16"})
  void a_lora_comes_back_with_the_same_changes(DType type) throws Exception {
    // Different ranks and scales, which one α for the file has to tell; and experts.
    LowRank q = new LowRank(8, 12, 4, 1, values(32), values(48), 2f);
    LowRank up = new LowRank(8, 6, 2, 3, values(48), values(36), 0.5f);
    LoraAdapter lora =
        new LoraAdapter(
            "x",
            "llama",
            Map.of("blk.0.attn_q", q, "blk.0.ffn_up_exps", up),
            Map.of("adapter.lora.task_name", "law"));
    Path file = folder.resolve("law.gguf");
    AdapterFile.write(lora, type, file);
    LoraAdapter read = (LoraAdapter) AdapterFile.read(file);
    assertThat(read.name()).isEqualTo("law");
    assertThat(read.architecture()).isEqualTo("llama");
    assertThat(read.metadata()).containsEntry("adapter.lora.task_name", "law");
    for (String matrix : lora.deltas().keySet()) {
      assertThat(change(read.deltas().get(matrix)))
          .as(matrix)
          .containsExactly(
              change(lora.deltas().get(matrix)), Offset.offset(type == DType.F32 ? 1e-5f : 5e-3f));
    }
    try (var left = Files.list(folder)) {
      assertThat(left).containsExactly(file);
    }
  }

  @Test
  void soft_prompts_and_control_vectors_come_back() throws Exception {
    SoftPrompt soft = new SoftPrompt("s", "qwen3", 3, 8, values(24));
    AdapterFile.write(soft, DType.F32, folder.resolve("s.gguf"));
    SoftPrompt softRead = (SoftPrompt) AdapterFile.read(folder.resolve("s.gguf"));
    assertThat(softRead.values()).isEqualTo(soft.values());
    assertThat(softRead.architecture()).isEqualTo("qwen3");
    ControlVector vector = new ControlVector("v", "llama", 8, Map.of(1, values(8), 3, values(8)));
    AdapterFile.write(vector, DType.F32, folder.resolve("v.gguf"));
    ControlVector read = (ControlVector) AdapterFile.read(folder.resolve("v.gguf"));
    assertThat(read.directions()).containsOnlyKeys(1, 3);
    assertThat(read.directions().get(3)).isEqualTo(vector.directions().get(3));
  }

  @Test
  void broken_files_are_refused_by_key_or_tensor() throws Exception {
    refused(lora(2), "adapter.lora.alpha");
    refused(lora(2).put("adapter.lora.alpha", 4f), "blk.0.attn_q.weight.lora_b");
    refused(
        tensor(lora(2).put("adapter.lora.alpha", 4f), "blk.0.attn_q.weight.lora_b", 3, 8),
        "does not go with");
    refused(
        tensor(
            new GgufWriter()
                .put("general.architecture", "llama")
                .put("adapter.type", "lora")
                .put("adapter.lora.alpha", 4f),
            "blk.0.attn_q.bias",
            8,
            1),
        "blk.0.attn_q.bias");
    refused(
        new GgufWriter()
            .put("general.architecture", "llama")
            .put("adapter.type", "lora")
            .put("adapter.lora.alpha", 1f),
        "without tensors");
    refused(
        new GgufWriter().put("general.architecture", "llama").put("adapter.type", "soft_prompt"),
        "soft_prompt");
    refused(
        tensor(new GgufWriter().put("general.architecture", "controlvector"), "direction.x", 8, 1),
        "direction.x");
    GgufWriter poisoned = lora(2).put("adapter.lora.alpha", 4f);
    float[] b = values(16);
    b[3] = Float.NaN;
    poisoned.tensor(
        "blk.0.attn_q.weight.lora_b",
        DType.F32,
        Shape.of(2, 8),
        Quantization.quantize(DType.F32, b, 2));
    refused(poisoned, "NaN");
  }

  @Test
  void other_files_are_named_for_what_they_are() throws Exception {
    Path model = folder.resolve("model.gguf");
    tensor(new GgufWriter().put("general.architecture", "llama"), "output.weight", 8, 8)
        .write(model);
    assertThatThrownBy(() -> AdapterFile.read(model))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("not an adapter");
    Path other = folder.resolve("other.gguf");
    new GgufWriter().put("general.architecture", "llama").put("adapter.type", "ia3").write(other);
    assertThatThrownBy(() -> AdapterFile.read(other))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("ia3");
  }

  private void refused(GgufWriter file, String what) throws IOException {
    Path path = folder.resolve("broken.gguf");
    file.write(path);
    assertThatThrownBy(() -> AdapterFile.read(path))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("broken.gguf")
        .hasMessageContaining(what);
  }

  /** With an A, and without its B and α. */
  private GgufWriter lora(int rank) {
    GgufWriter out =
        new GgufWriter().put("general.architecture", "llama").put("adapter.type", "lora");
    return tensor(out, "blk.0.attn_q.weight.lora_a", 8, rank);
  }

  private GgufWriter tensor(GgufWriter out, String name, int width, int rows) {
    byte[] bytes = Quantization.quantize(DType.F32, values(width * rows), width);
    return out.tensor(name, DType.F32, Shape.of(width, rows), bytes);
  }

  /** scale · B·A of each expert. */
  private static float[] change(LowRank d) {
    float[] change = new float[d.in() * d.out() * d.experts()];
    for (int row = 0; row < d.out() * d.experts(); row++) {
      for (int i = 0; i < d.in(); i++) {
        double sum = 0;
        for (int r = 0; r < d.rank(); r++) {
          int a = (row / d.out() * d.rank() + r) * d.in() + i;
          sum += (double) d.b()[row * d.rank() + r] * d.a()[a];
        }
        change[row * d.in() + i] = (float) (d.scale() * sum);
      }
    }
    return change;
  }

  private float[] values(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
