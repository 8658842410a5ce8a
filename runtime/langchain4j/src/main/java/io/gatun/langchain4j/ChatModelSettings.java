package io.gatun.langchain4j;

import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import io.gatun.LanguageModel;
import java.nio.file.Path;
import java.util.List;

/**
 * What a chat model is called and does unless a request says otherwise.
 *
 * @param name by which responses call it
 * @param parameters of requests that have none of their own
 * @param listeners are told of each request
 */
public record ChatModelSettings(
    String name, ChatRequestParameters parameters, List<ChatModelListener> listeners) {
  public ChatModelSettings {
    listeners = List.copyOf(listeners);
  }

  /** The name of the model's file, and no parameters. */
  public static ChatModelSettings of(LanguageModel model) {
    return new ChatModelSettings(
        nameOf(model.model().name()), ChatRequestParameters.builder().build(), List.of());
  }

  static String nameOf(String file) {
    return String.valueOf(Path.of(file).getFileName()).replaceFirst("\\.gguf$", "");
  }

  public ChatModelSettings withName(String other) {
    return new ChatModelSettings(other, parameters, listeners);
  }

  public ChatModelSettings withParameters(ChatRequestParameters other) {
    return new ChatModelSettings(name, other, listeners);
  }

  public ChatModelSettings withListeners(List<ChatModelListener> others) {
    return new ChatModelSettings(name, parameters, others);
  }
}
