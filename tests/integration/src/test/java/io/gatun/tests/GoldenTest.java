package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.Gatun;
import io.gatun.GenerateOptions;
import io.gatun.LanguageModel;
import io.gatun.engine.GenerateRequest;
import io.gatun.engine.Generation;
import io.gatun.tests.kit.SharedFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A real model against an independent implementation in double precision. */
class GoldenTest {
  @Test
  void tokens_logits_and_text_are_those_of_another_implementation() throws Exception {
    Path model = SharedFiles.stories();
    Path golden = SharedFiles.require("data/reference/stories260K-golden.json");
    JsonNode cases = JsonMapper.shared().readTree(golden.toFile()).get("cases");
    assertThat(cases.size()).isPositive();
    try (LanguageModel loaded = Gatun.load(model)) {
      for (JsonNode c : cases) {
        int[] ids = loaded.model().vocabulary().encode(c.get("prompt").asString(), true, false);
        assertThat(ids).isEqualTo(integers(c.get("ids")));
        checkLogits(loaded, ids, c);
      }
    }
  }

  @Test
  void the_first_story_is_the_published_one() {
    try (LanguageModel model = Gatun.load(SharedFiles.stories())) {
      String text = model.complete("", GenerateOptions.greedy().withMaxTokens(200)).text();
      assertThat(text.strip())
          .startsWith(
              "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red ball. She wanted to");
    }
  }

  private static void checkLogits(LanguageModel loaded, int[] ids, JsonNode c)
      throws InterruptedException {
    List<float[]> rows = new ArrayList<>();
    JsonNode greedy = greedy(c);
    Generation generation =
        loaded
            .engine()
            .submit(
                GenerateRequest.of(ids)
                    .withMaxTokens(Math.max(1, greedy.size()))
                    .withObserver((_, row, count) -> rows.add(Arrays.copyOf(row, count))));
    List<Integer> chosen = new ArrayList<>();
    for (var token = generation.next(); token.isPresent(); token = generation.next()) {
      chosen.add(token.get().id());
    }
    for (JsonNode top : c.get("last_logits_top10")) {
      assertThat(rows.getFirst()[top.get(0).asInt()])
          .isCloseTo((float) top.get(1).asDouble(), Offset.offset(0.02f));
    }
    for (int i = 0; i < greedy.size(); i++) {
      assertThat(chosen.get(i))
          .as("token %d of %s", i, c.get("prompt"))
          .isEqualTo(greedy.get(i).asInt());
    }
  }

  private static JsonNode greedy(JsonNode c) {
    for (String name : c.propertyNames()) {
      if (name.startsWith("greedy") && c.get(name).isArray()) {
        return c.get(name);
      }
    }
    throw new AssertionError("the golden file has no greedy tokens");
  }

  private static int[] integers(JsonNode array) {
    int[] values = new int[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = array.get(i).asInt();
    }
    return values;
  }
}
