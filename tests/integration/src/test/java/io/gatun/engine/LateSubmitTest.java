package io.gatun.engine;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.model.LoadOptions;
import io.gatun.model.Model;
import io.gatun.tests.kit.SharedFiles;
import java.util.AbstractList;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class LateSubmitTest {
  /** Closes the engine when it is read for the second time: after the checks, before the queue. */
  private static final class Closing extends AbstractList<GenerateRequest> {
    private final Engine engine;
    private int reads;

    Closing(Engine engine) {
      this.engine = engine;
    }

    @Override
    public Iterator<GenerateRequest> iterator() {
      if (reads++ > 0) {
        engine.close();
      }
      return List.of(get(0)).iterator();
    }

    @Override
    public GenerateRequest get(int index) {
      return GenerateRequest.of(1, 2);
    }

    @Override
    public int size() {
      return 1;
    }
  }

  @Test
  @Timeout(60)
  void a_request_that_arrives_while_the_engine_closes_ends() throws Exception {
    EngineOptions options = EngineOptions.defaults().withContextTokens(1024).withThreads(1);
    try (Model model = Model.load(SharedFiles.stories(), LoadOptions.defaults())) {
      for (int round = 0; round < 20; round++) {
        Engine engine = Engine.open(model, options);
        Generation before = engine.submit(GenerateRequest.of(1, 2, 3).withMaxTokens(900));
        var _ = before.next();
        assertThatThrownBy(
                () -> {
                  Generation late = engine.submitAll(new Closing(engine)).getFirst();
                  var _ = late.finishReason();
                })
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("already closed");
      }
    }
  }
}
