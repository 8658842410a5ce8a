package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.gatun.bindings.GatunException;
import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.GenerateRequest;
import io.gatun.model.LoadOptions;
import io.gatun.model.Model;
import io.gatun.model.gguf.GgufFile;
import io.gatun.tensor.DType;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whole models from strangers: what their headers say is changed, and then they are loaded and run.
 * Each gives tokens or a typed exception. A failure that this cannot catch ends the test's JVM.
 */
class HostileModelTest {
  private static final int ROUNDS = Integer.getInteger("gatun.hostile.rounds", 120);

  @TempDir Path folder;

  @Test
  void changed_models_run_or_are_refused() throws Exception {
    ModelShape[] shapes = {
      ModelShape.tiny("llama").withLayers(1),
      ModelShape.tiny("gemma3").withLayers(2).with("attention.sliding_window", 16),
      ModelShape.tiny("qwen2moe")
          .withLayers(1)
          .withExperts(4, 2)
          .with("expert_shared_feed_forward_length", 512),
      ModelShape.tiny("phi3").withLayers(1).with("rope.scaling.original_context_length", 512),
      ModelShape.tiny("gpt-oss")
          .withLayers(1)
          .withExperts(4, 2)
          .with("attention.sliding_window", 16),
      ModelShape.latent()
          .withLayers(2)
          .with("expert_group_count", 4)
          .with("expert_group_used_count", 2),
      ModelShape.latentOfHeads().withLayers(1),
      ModelShape.chunked(4, 2)
    };
    int ran = 0;
    for (ModelShape shape : shapes) {
      Path original = MadeModel.write(folder.resolve("original.gguf"), shape, DType.Q8_0, 1);
      byte[] bytes = Files.readAllBytes(original);
      int header =
          GgufFile.open(original).tensors().stream()
              .mapToInt(t -> (int) t.offset())
              .min()
              .orElseThrow();
      for (int round = 0; round < ROUNDS; round++) {
        Path file = folder.resolve("changed.gguf");
        Files.write(file, changed(bytes, header, new SplittableRandom(round * 7919L)));
        ran += runs(file, shape.architecture() + ", round " + round) ? 1 : 0;
      }
    }
    assertThat(ran).as("models that still ran").isPositive();
  }

  private static boolean runs(Path file, String which) {
    try (Model model = Model.load(file, LoadOptions.defaults());
        Engine engine =
            Engine.open(model, EngineOptions.defaults().withContextTokens(256).withThreads(1))) {
      var _ = engine.submit(GenerateRequest.of(1, 2, 3).withMaxTokens(2)).finishReason();
      return true;
    } catch (GatunException refused) {
      assertThat(refused.getMessage()).isNotBlank();
      return false;
    } catch (IllegalArgumentException | IllegalStateException refused) {
      // A vocabulary smaller than the test's tokens, or logits that are NaN.
      assertThat(refused.getMessage()).containsAnyOf("token", "NaN");
      return false;
    } catch (Exception | AssertionError e) {
      return fail(which, e);
    }
  }

  /** One number or letter of the header, or of two. */
  private static byte[] changed(byte[] original, int header, SplittableRandom random) {
    byte[] bytes = original.clone();
    for (int e = 0; e <= random.nextInt(2); e++) {
      int at = 24 + random.nextInt(header - 24);
      switch (random.nextInt(4)) {
        case 0 -> bytes[at] = (byte) random.nextInt();
        case 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 2 -> bytes[at]++;
        default -> bytes[at] = 0;
      }
    }
    return bytes;
  }
}
