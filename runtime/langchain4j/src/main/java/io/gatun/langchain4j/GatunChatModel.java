package io.gatun.langchain4j;

import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import io.gatun.LanguageModel;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * A model that answers conversations. JSON schemas are enforced token by token, and so is a tool
 * call where one is required; a request for something that is not enforced is refused with {@link
 * dev.langchain4j.exception.UnsupportedFeatureException}.
 *
 * <p>Thread-safe; requests of several threads run together. The {@link LanguageModel} belongs to
 * the caller, who closes it after this.
 */
public final class GatunChatModel implements ChatModel {
  private final LanguageModel model;
  private final ChatModelSettings settings;

  private GatunChatModel(LanguageModel model, ChatModelSettings settings) {
    this.model = model;
    this.settings = settings;
  }

  /**
   * One with default parameters.
   *
   * @throws io.gatun.model.UnsupportedModelException when the model has no chat template
   */
  public static GatunChatModel of(LanguageModel model) {
    return of(model, ChatModelSettings.of(model));
  }

  /** One with settings of its own. */
  public static GatunChatModel of(LanguageModel model, ChatModelSettings settings) {
    Parameters.requireOwnName(settings.parameters(), settings.name());
    var _ = model.chatTemplate();
    return new GatunChatModel(model, settings);
  }

  @Override
  public ChatResponse doChat(ChatRequest request) {
    try (ChatCall call = ChatCall.open(model, settings.name(), request)) {
      call.read(_ -> {});
      return call.response();
    } catch (RuntimeException e) {
      throw Failures.mapped(e);
    }
  }

  /** The answer, on a virtual thread; cancelling the future stops the generation. */
  @Override
  public CompletableFuture<ChatResponse> doChatAsync(ChatRequest request) {
    CompletableFuture<ChatResponse> result = new CompletableFuture<>();
    ChatCall call;
    try {
      call = ChatCall.open(model, settings.name(), request);
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(Failures.mapped(e));
    }
    var _ = result.whenComplete((_, _) -> call.close());
    var _ =
        Thread.ofVirtual()
            .name("gatun-chat")
            .start(() -> {
              try {
                call.read(_ -> {});
                result.complete(call.response());
              } catch (RuntimeException e) {
                result.completeExceptionally(Failures.mapped(e));
              }
            });
    return result;
  }

  @Override
  public ChatRequestParameters defaultRequestParameters() {
    return settings.parameters();
  }

  @Override
  public List<ChatModelListener> listeners() {
    return settings.listeners();
  }

  @Override
  public Set<Capability> supportedCapabilities() {
    return Set.of(Capability.RESPONSE_FORMAT_JSON_SCHEMA);
  }
}
