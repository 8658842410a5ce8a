package io.gatun.tests.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.GenerateRequest;
import io.gatun.engine.LogitsObserver;
import io.gatun.model.LoadOptions;
import io.gatun.model.LoadOptions.Repacking;
import io.gatun.model.Model;
import io.gatun.tensor.DType;
import io.gatun.tensor.Kernels;
import io.gatun.tensor.llama.LlamaContext;
import io.gatun.tensor.llama.LlamaModel;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What only long texts have: the second of Llama 4's chunks of 8192 tokens. */
@Timeout(300)
class LongTextOracleTest {
  private static final int CELLS = 9216;
  private static final int BATCH = 256;
  private static final int TOKENS = 8500;

  @TempDir Path folder;

  @Test
  void tokens_behind_a_chunk_see_what_those_of_libllama_see() throws Exception {
    ModelShape shape = ModelShape.chunked(4, 1).withHeads(1, 1, 32);
    Path file = MadeModel.write(folder.resolve("model.gguf"), shape, DType.F32, 1);
    int[] tokens = new SplittableRandom(5).ints(TOKENS, 0, shape.vocabulary()).toArray();
    List<float[]> theirs = theirs(file, tokens);
    List<float[]> ours = ours(file, tokens, 2);
    assertThat(ours).hasSameSizeAs(theirs);
    for (int i = 0; i < theirs.size(); i++) {
      assertThat(ours.get(i)).as("logits behind batch %d", i).isEqualTo(theirs.get(i));
    }
    // Layers with chunks have cells for one of them and a batch: the first chunk's are used again.
    List<float[]> few = ours(file, tokens, 1);
    for (int i = 0; i < theirs.size(); i++) {
      assertThat(Distance.of(few.get(i), theirs.get(i))).isLessThan(0.01);
    }
  }

  /** The logits of each batch's last row. */
  private static List<float[]> ours(Path file, int[] tokens, int sequences) throws Exception {
    List<float[]> rows = new ArrayList<>();
    LogitsObserver observer =
        new LogitsObserver() {
          @Override
          public void observe(int position, float[] logits, int count) {
            if (ends(position, tokens)) {
              rows.add(Arrays.copyOf(logits, count));
            }
          }

          @Override
          public boolean everyRow() {
            return true;
          }
        };
    LoadOptions loading = LoadOptions.defaults().withRepack(Repacking.NONE).withGpuLayers(0);
    EngineOptions running =
        EngineOptions.defaults()
            .withContextTokens(CELLS)
            .withBatchRows(BATCH)
            .withSequencesMax(sequences)
            .withThreads(2)
            .withKernels(Kernels.ggml());
    try (Model model = Model.load(file, loading);
        Engine engine = Engine.open(model, running)) {
      assertThat(Engine.kvSize(model.hyperparams(), running).split()).isEqualTo(sequences == 1);
      GenerateRequest request = GenerateRequest.of(tokens).withMaxTokens(1).withObserver(observer);
      var _ = engine.submit(request).finishReason();
    }
    return rows;
  }

  private static List<float[]> theirs(Path file, int[] tokens) {
    List<float[]> rows = new ArrayList<>();
    try (LlamaModel llama = LlamaModel.load(file, false, 0);
        LlamaContext context = new LlamaContext(llama, CELLS, BATCH, 1, 2)) {
      for (int from = 0; from < tokens.length; from += BATCH) {
        int[] part = Arrays.copyOfRange(tokens, from, Math.min(tokens.length, from + BATCH));
        int[] positions = new int[part.length];
        int first = from;
        Arrays.setAll(positions, i -> first + i);
        boolean[] wanted = new boolean[part.length];
        Arrays.fill(wanted, true); // as other kernels compute one row
        context.decode(part, positions, new int[part.length], wanted);
        rows.add(context.logits(part.length - 1));
      }
    }
    return rows;
  }

  private static boolean ends(int position, int[] tokens) {
    return position % BATCH == BATCH - 1 || position == tokens.length - 1;
  }
}
