package io.gatun.tests.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.model.DecoderGraph;
import io.gatun.model.KvStore;
import io.gatun.model.LoadOptions;
import io.gatun.model.Model;
import io.gatun.tensor.Backend;
import io.gatun.tensor.CompiledGraph;
import io.gatun.tensor.DType;
import io.gatun.tensor.Device;
import io.gatun.tensor.llama.LlamaContext;
import io.gatun.tensor.llama.LlamaModel;
import io.gatun.tests.kit.SharedFiles;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ThinLineTest {
  @Test
  void a_prompt_gives_the_logits_of_libllama() throws Exception {
    Path file = SharedFiles.stories();
    try (Model model = Model.load(file, LoadOptions.defaults());
        LlamaModel llama = LlamaModel.load(file, true, 0);
        LlamaContext oracle = new LlamaContext(llama, 512, 512, 1, 2);
        Backend backend = Backend.cpu(2);
        KvStore kv = KvStore.allocate(model.hyperparams(), 512, DType.F16, l -> Device.cpu())) {
      int[] tokens = model.vocabulary().encode("Once upon a time, there was", true, false);
      int n = tokens.length;
      int[] positions = new int[n];
      long[] cells = new long[n];
      boolean[] wanted = new boolean[n];
      short[] mask = new short[256 * n];
      for (int i = 0; i < n; i++) {
        positions[i] = i;
        cells[i] = i;
        wanted[i] = true;
        for (int j = 0; j < 256; j++) {
          mask[i * 256 + j] = j <= i ? 0 : (short) 0xfc00;
        }
      }
      oracle.decode(tokens, positions, new int[n], wanted);
      DecoderGraph graph = DecoderGraph.build(model, kv, new DecoderGraph.Key(n, 256, n));
      try (CompiledGraph compiled = backend.compile(graph.graph())) {
        compiled.begin();
        compiled.write(graph.tokens(), tokens);
        compiled.write(graph.positions(), positions);
        compiled.write(graph.cells(), cells);
        compiled.write(graph.mask(), mask, mask.length);
        compiled.write(graph.outputRows(), positions);
        assertThat(compiled.compute()).isTrue();
        float[] row = new float[model.vocabularySize()];
        for (int i = 0; i < n; i++) {
          compiled.readRow(graph.logits(), i, row);
          assertThat(row).as("row " + i).isEqualTo(oracle.logits(i));
        }
      }
    }
  }
}
