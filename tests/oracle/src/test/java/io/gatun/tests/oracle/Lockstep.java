package io.gatun.tests.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.GenerateRequest;
import io.gatun.engine.Generation;
import io.gatun.engine.LogitsObserver;
import io.gatun.model.LoadOptions;
import io.gatun.model.LoadOptions.Repacking;
import io.gatun.model.Model;
import io.gatun.tensor.Kernels;
import io.gatun.tensor.llama.LlamaContext;
import io.gatun.tensor.llama.LlamaModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * Runs the same prompts through Gatun's engine and through libllama, in the same batches, and
 * compares every row of logits bit by bit.
 */
final class Lockstep {
  private static final int CELLS = 1024;

  private final Path file;
  private final boolean repack;
  private final int threads;

  Lockstep(Path file, boolean repack, int threads) {
    this.file = file;
    this.repack = repack;
    this.threads = threads;
  }

  /** One row of logits of one sequence. */
  private record Place(int sequence, int position) {}

  /** Decodes greedily after the prompts, with libllama following Gatun's tokens: equal bits. */
  void compare(List<int[]> prompts, int decoded, boolean everyRow) throws Exception {
    compare(prompts, decoded, everyRow, 0);
  }

  /**
   * The same, with logits that may differ.
   *
   * @param tolerance how far a logit may be off; 0 for no differing bit
   */
  void compare(List<int[]> prompts, int decoded, boolean everyRow, float tolerance)
      throws Exception {
    ConcurrentMap<Place, float[]> ours = new ConcurrentHashMap<>();
    List<int[]> texts = generate(prompts, decoded, everyRow, ours);
    try (LlamaModel llama = LlamaModel.load(file, repack, 0);
        LlamaContext oracle = new LlamaContext(llama, CELLS, 512, prompts.size(), threads)) {
      int[] computed = new int[prompts.size()];
      for (int step = 0; step <= decoded; step++) {
        step(oracle, prompts, texts, computed, step, everyRow, tolerance, ours);
      }
    }
    assertThat(ours).as("rows that only Gatun computed").isEmpty();
  }

  private List<int[]> generate(
      List<int[]> prompts, int decoded, boolean everyRow, ConcurrentMap<Place, float[]> rows)
      throws IOException, InterruptedException {
    LoadOptions loading =
        LoadOptions.defaults().withRepack(repack ? Repacking.ALL : Repacking.NONE).withGpuLayers(0);
    EngineOptions running =
        EngineOptions.defaults()
            .withContextTokens(CELLS)
            .withThreads(threads)
            .withKernels(Kernels.ggml());
    try (Model model = Model.load(file, loading);
        Engine engine = Engine.open(model, running)) {
      List<GenerateRequest> requests = new ArrayList<>();
      for (int s = 0; s < prompts.size(); s++) {
        int sequence = s;
        LogitsObserver observer =
            new LogitsObserver() {
              @Override
              public void observe(int position, float[] logits, int count) {
                rows.put(new Place(sequence, position), Arrays.copyOf(logits, count));
              }

              @Override
              public boolean everyRow() {
                return everyRow;
              }
            };
        GenerateRequest request = GenerateRequest.of(prompts.get(s)).withObserver(observer);
        requests.add(
            request.withLimits(new GenerateRequest.Limits(decoded + 1, true, java.util.Set.of())));
      }
      List<int[]> texts = new ArrayList<>();
      List<Generation> generations = engine.submitAll(requests);
      for (int s = 0; s < prompts.size(); s++) {
        int[] text = Arrays.copyOf(prompts.get(s), prompts.get(s).length + decoded + 1);
        int size = prompts.get(s).length;
        for (var token = generations.get(s).next();
            token.isPresent();
            token = generations.get(s).next()) {
          text[size++] = token.get().id();
        }
        assertThat(size).isEqualTo(text.length);
        texts.add(text);
      }
      return texts;
    }
  }

  private static void step(
      LlamaContext oracle,
      List<int[]> prompts,
      List<int[]> texts,
      int[] computed,
      int step,
      boolean everyRow,
      float tolerance,
      ConcurrentMap<Place, float[]> ours) {
    List<Place> rows = new ArrayList<>();
    for (int s = 0; s < prompts.size(); s++) {
      int end = prompts.get(s).length + step;
      while (computed[s] < end) {
        rows.add(new Place(s, computed[s]++));
      }
    }
    boolean[] wanted = new boolean[rows.size()];
    for (int i = 0; i < rows.size(); i++) {
      Place row = rows.get(i);
      wanted[i] = everyRow || row.position() == prompts.get(row.sequence()).length + step - 1;
    }
    oracle.decode(
        rows.stream().mapToInt(r -> texts.get(r.sequence())[r.position()]).toArray(),
        rows.stream().mapToInt(Place::position).toArray(),
        rows.stream().mapToInt(Place::sequence).toArray(),
        wanted);
    for (int i = 0; i < rows.size(); i++) {
      if (wanted[i]) {
        float[] gatun = ours.remove(rows.get(i));
        float[] llama = oracle.logits(i);
        assertThat(gatun).as("Gatun computed %s", rows.get(i)).isNotNull();
        int differing = 0;
        float most = 0;
        for (int t = 0; t < llama.length; t++) {
          if (Float.floatToRawIntBits(llama[t]) != Float.floatToRawIntBits(gatun[t])) {
            differing++;
            most = Math.max(most, Math.abs(llama[t] - gatun[t]));
          }
        }
        assertThat(most).as("largest difference of %s", rows.get(i)).isLessThanOrEqualTo(tolerance);
        if (tolerance == 0) {
          assertThat(differing).as("differing logits of %s", rows.get(i)).isZero();
        }
      }
    }
  }
}
