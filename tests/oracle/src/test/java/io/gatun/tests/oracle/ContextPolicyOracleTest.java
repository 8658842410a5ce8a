package io.gatun.tests.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.engine.ContextPolicy;
import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.GenerateRequest;
import io.gatun.engine.GenerateRequest.Limits;
import io.gatun.engine.Generation;
import io.gatun.model.KvTypes;
import io.gatun.model.LoadOptions;
import io.gatun.model.LoadOptions.Repacking;
import io.gatun.model.Model;
import io.gatun.tensor.DType;
import io.gatun.tensor.Kernels;
import io.gatun.tensor.llama.LlamaContext;
import io.gatun.tensor.llama.LlamaModel;
import io.gatun.tests.kit.SharedFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Texts beyond the context, against libllama told to forget the same tokens. */
@Timeout(120)
class ContextPolicyOracleTest {
  private static final int CONTEXT = 256;
  private static final int TOKENS = 600;

  /** A shift drops half of what is behind the kept tokens, a window an eighth. */
  @ParameterizedTest
  @CsvSource({"shift:4, 4, 256, 2", "shift:30, 30, 256, 2", "'sinks:4,124', 4, 128, 8"})
  void texts_are_libllamas_token_for_token(String policy, int keep, int most, int parts)
      throws Exception {
    Path file = SharedFiles.stories();
    EngineOptions options =
        EngineOptions.defaults()
            .withContextTokens(CONTEXT)
            .withThreads(1)
            .withKernels(Kernels.ggml())
            .withKvTypes(KvTypes.of(DType.F32));
    int[] prompt;
    List<Integer> ours = new ArrayList<>();
    try (Model model =
            Model.load(file, LoadOptions.defaults().withRepack(Repacking.NONE).withGpuLayers(0));
        Engine engine = Engine.open(model, options)) {
      prompt = model.vocabulary().encode("Once upon a time", true, false);
      Generation generation =
          engine.submit(
              GenerateRequest.of(prompt)
                  .withLimits(new Limits(TOKENS, true, Set.of()))
                  .withContextPolicy(ContextPolicy.named(policy)));
      for (var t = generation.next(); t.isPresent(); t = generation.next()) {
        ours.add(t.get().id());
      }
      assertThat(generation.usage().forgottenTokens()).isGreaterThan(TOKENS / 2);
    }
    int[] expected = theirs(file, prompt, keep, most, parts).stream().mapToInt(i -> i).toArray();
    int[] got = ours.stream().mapToInt(i -> i).toArray();
    assertThat(Arrays.mismatch(got, expected)).as("first other token").isEqualTo(-1);
  }

  private static List<Integer> theirs(Path file, int[] prompt, int keep, int most, int parts) {
    List<Integer> all = new ArrayList<>();
    try (LlamaModel model = LlamaModel.load(file, false, 0);
        LlamaContext context =
            new LlamaContext(model, CONTEXT, CONTEXT, 1, 1, DType.F32, DType.F32)) {
      int[] next = prompt;
      int past = 0;
      while (all.size() < TOKENS) {
        if (past >= most) {
          int gone = (most - keep) / parts;
          context.remove(0, keep, keep + gone);
          past -= gone;
        }
        int token = decode(context, next, past);
        past += next.length;
        all.add(token);
        next = new int[] {token};
      }
    }
    return all;
  }

  private static int decode(LlamaContext context, int[] tokens, int from) {
    int[] positions = new int[tokens.length];
    boolean[] wanted = new boolean[tokens.length];
    for (int i = 0; i < tokens.length; i++) {
      positions[i] = from + i;
      wanted[i] = i == tokens.length - 1;
    }
    context.decode(tokens, positions, new int[tokens.length], wanted);
    return context.best(tokens.length - 1);
  }
}
