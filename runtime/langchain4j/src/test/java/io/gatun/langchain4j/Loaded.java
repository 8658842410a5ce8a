package io.gatun.langchain4j;

import dev.langchain4j.model.chat.request.ChatRequestParameters;
import io.gatun.Gatun;
import io.gatun.LanguageModel;
import io.gatun.engine.EngineOptions;
import io.gatun.model.LoadOptions;
import io.gatun.tests.kit.ModelCopy;
import io.gatun.tests.kit.SharedFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The tiny story model with a chat template: it takes any conversation and answers nonsense. */
final class Loaded implements AutoCloseable {
  private static final String CHATML =
      "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
          + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

  private final Path folder;
  final LanguageModel model;

  Loaded() {
    try {
      Path stories = SharedFiles.stories();
      folder = Files.createTempDirectory("gatun-langchain4j");
      Path file =
          ModelCopy.with(
              stories, folder.resolve("stories.gguf"), "tokenizer.chat_template", CHATML);
      EngineOptions options = EngineOptions.defaults().withContextTokens(2048).withThreads(1);
      model = Gatun.load(file, LoadOptions.defaults(), options);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  ChatModelSettings settings(ChatRequestParameters parameters) {
    ChatRequestParameters all =
        ChatRequestParameters.builder()
            .temperature(0.0)
            .maxOutputTokens(200)
            .build()
            .overrideWith(parameters);
    return ChatModelSettings.of(model).withParameters(all);
  }

  @Override
  public void close() {
    model.close();
    try {
      Files.deleteIfExists(folder.resolve("stories.gguf"));
      Files.deleteIfExists(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
