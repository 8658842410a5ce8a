package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.Completion;
import io.gatun.Gatun;
import io.gatun.GenerateOptions;
import io.gatun.LanguageModel;
import io.gatun.TextListener;
import io.gatun.TokenStream;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.FinishReason;
import io.gatun.model.GraphSource;
import io.gatun.model.LoadOptions;
import io.gatun.model.ModelFormatException;
import io.gatun.model.UnsupportedModelException;
import io.gatun.model.gguf.GgufWriter;
import io.gatun.tensor.CapacityException;
import io.gatun.tensor.DType;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import io.gatun.tests.kit.SharedFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class LanguageModelTest {
  private static final String PROMPT = "Once upon a time";
  private static final GenerateOptions SHORT = GenerateOptions.greedy().withMaxTokens(40);

  @TempDir Path folder;

  @Test
  void every_form_gives_the_same_text() throws Exception {
    try (LanguageModel model = Gatun.load(SharedFiles.stories())) {
      String whole = model.complete(PROMPT, SHORT).text();
      assertThat(whole).startsWith(", there was a little girl");
      try (TokenStream stream = model.stream(PROMPT, SHORT)) {
        StringBuilder text = new StringBuilder();
        for (String piece : stream) {
          assertThat(piece).isNotEmpty();
          text.append(piece);
        }
        assertThat(text.toString()).isEqualTo(whole);
        assertThat(stream.finishReason()).isEqualTo(FinishReason.LENGTH);
        assertThat(stream.usage().completionTokens()).isEqualTo(40);
      }
      try (Stream<String> stream = model.stream(PROMPT, SHORT).stream()) {
        assertThat(stream.collect(Collectors.joining())).isEqualTo(whole);
      }
      assertThat(listened(model).text()).isEqualTo(whole);
    }
  }

  @Test
  void a_stop_text_ends_it_wherever_it_falls() {
    try (LanguageModel model = Gatun.load(SharedFiles.stories())) {
      String whole = model.complete(PROMPT, SHORT).text();
      for (String stop : List.of("girl", "le gi", ". She", ",", "Lily. She loved")) {
        Completion completion = model.complete(PROMPT, SHORT.withStop("never", stop));
        assertThat(completion.text()).isEqualTo(whole.substring(0, whole.indexOf(stop)));
        assertThat(completion.finishReason()).isEqualTo(FinishReason.STOP_TEXT);
      }
      assertThat(model.complete(PROMPT, SHORT.withStop("girl named Lilo")).text()).isEqualTo(whole);
    }
  }

  @Test
  void closing_a_stream_stops_the_generation() {
    GenerateOptions endless = GenerateOptions.greedy();
    try (LanguageModel model = Gatun.load(SharedFiles.stories())) {
      TokenStream stream = model.stream(PROMPT, endless);
      assertThat(stream.iterator().next()).isNotEmpty();
      stream.close();
      assertThat(stream.finishReason()).isIn(FinishReason.CANCELLED, FinishReason.STOP);
      stream.close();
      assertThat(model.engine().statistics().freeCells()).isEqualTo(model.engine().contextTokens());
    }
  }

  @Test
  void an_interrupted_reader_cancels() throws Exception {
    try (LanguageModel model = Gatun.load(SharedFiles.stories())) {
      CompletableFuture<Throwable> failure = new CompletableFuture<>();
      Thread reader =
          Thread.ofVirtual()
              .start(() -> {
                Thread.currentThread().interrupt();
                try (TokenStream stream = model.stream(PROMPT, SHORT)) {
                  stream.forEach(_ -> {});
                } catch (IllegalStateException e) {
                  failure.complete(e);
                }
              });
      assertThat(failure.get(60, TimeUnit.SECONDS)).hasMessageContaining("interrupted");
      reader.join();
    }
  }

  @Test
  void a_listener_that_throws_hears_of_it() throws Exception {
    try (LanguageModel model = Gatun.load(SharedFiles.stories())) {
      CompletableFuture<Throwable> heard = new CompletableFuture<>();
      var _ =
          model.stream(
              PROMPT,
              SHORT,
              new TextListener() {
                @Override
                public void onText(String piece) {
                  throw new IllegalArgumentException("mine");
                }

                @Override
                public void onError(Throwable failure) {
                  heard.complete(failure);
                }
              });
      assertThat(heard.get(60, TimeUnit.SECONDS)).hasMessage("mine");
    }
  }

  @Test
  void paths_may_have_any_letters() throws Exception {
    Path file = folder.resolve("Größe 模型 🦀.gguf");
    Files.copy(SharedFiles.stories(), file);
    try (LanguageModel model = Gatun.load(file)) {
      assertThat(model.complete(PROMPT, SHORT).text()).startsWith(", there was");
    }
  }

  @Test
  void a_model_that_was_closed_says_so() {
    LanguageModel model = Gatun.load(SharedFiles.stories());
    TokenStream open = model.stream(PROMPT, GenerateOptions.greedy());
    model.close();
    model.close();
    open.forEach(_ -> {});
    assertThat(open.finishReason()).isIn(FinishReason.CANCELLED, FinishReason.STOP);
    assertThatThrownBy(() -> model.complete(PROMPT))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("already closed");
    assertThatThrownBy(() -> model.model().vocabulary().encode("x", false, false))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void files_that_cannot_be_run_say_why() throws Exception {
    assertThatThrownBy(() -> Gatun.load(folder.resolve("nothing.gguf")))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("does not exist");
    assertThatThrownBy(() -> Gatun.load(folder))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("is a folder");
    Path mamba = folder.resolve("mamba.gguf");
    new GgufWriter().put("general.architecture", "mamba").write(mamba);
    LoadOptions own = LoadOptions.defaults().withGraphs(GraphSource.OWN);
    assertThatThrownBy(() -> Gatun.load(mamba, own, EngineOptions.defaults()))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("mamba")
        .hasMessageContaining("qwen3");
    Path empty = folder.resolve("empty.gguf");
    new GgufWriter().put("general.name", "nobody").write(empty);
    assertThatThrownBy(() -> Gatun.load(empty))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("general.architecture");
    Path vocabulary = SharedFiles.require("data/tokenizers");
    try (Stream<Path> files = Files.list(vocabulary)) {
      Path only = files.filter(f -> f.toString().endsWith(".gguf")).findFirst().orElseThrow();
      assertThatThrownBy(() -> Gatun.load(only))
          .isInstanceOfAny(ModelFormatException.class, UnsupportedModelException.class);
    }
  }

  @Test
  void a_context_that_does_not_fit_is_refused_with_figures() {
    Path file =
        MadeModel.write(
            folder.resolve("deep.gguf"), ModelShape.tiny("llama").withLayers(24), DType.Q8_0, 1);
    assertThatThrownBy(() ->
            Gatun.load(
                file, LoadOptions.defaults(), EngineOptions.defaults().withContextTokens(1 << 24)))
        .isInstanceOf(CapacityException.class)
        .hasMessageContaining("GiB")
        .hasMessageContaining("--context");
  }

  @Test
  void a_prompt_longer_than_the_context_is_refused() {
    try (LanguageModel model =
        Gatun.load(
            SharedFiles.stories(),
            LoadOptions.defaults(),
            EngineOptions.defaults().withContextTokens(256))) {
      assertThatThrownBy(() -> model.complete("word ".repeat(600)))
          .isInstanceOf(CapacityException.class);
    }
  }

  private static Completion listened(LanguageModel model) throws Exception {
    CompletableFuture<Completion> done = new CompletableFuture<>();
    List<String> pieces = new ArrayList<>();
    var _ =
        model.stream(
            PROMPT,
            SHORT,
            new TextListener() {
              @Override
              public void onText(String piece) {
                pieces.add(piece);
              }

              @Override
              public void onComplete(Completion completion) {
                assertThat(String.join("", pieces)).isEqualTo(completion.text());
                done.complete(completion);
              }

              @Override
              public void onError(Throwable failure) {
                done.completeExceptionally(failure);
              }
            });
    return done.get(60, TimeUnit.SECONDS);
  }
}
