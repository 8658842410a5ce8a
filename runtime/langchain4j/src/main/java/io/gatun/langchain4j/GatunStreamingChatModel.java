package io.gatun.langchain4j;

import static dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils.onCompleteResponse;
import static dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils.onCompleteToolCall;
import static dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils.onPartialResponse;
import static dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils.onPartialThinking;
import static dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils.withLoggingExceptions;

import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.CompleteToolCall;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.chat.response.StreamingHandle;
import io.gatun.LanguageModel;
import io.gatun.model.chat.reply.ReplyEvent;
import java.util.List;
import java.util.Set;

/**
 * {@link GatunChatModel} with answers that are told while they are generated, on a virtual thread
 * for each. Tool calls are told when they are complete. Cancelling through the {@link
 * StreamingHandle} stops the native decoding within a step, and nothing is told after it.
 *
 * <p>Thread-safe. The {@link LanguageModel} belongs to the caller, who closes it after this.
 */
public final class GatunStreamingChatModel implements StreamingChatModel {
  private final LanguageModel model;
  private final ChatModelSettings settings;

  private GatunStreamingChatModel(LanguageModel model, ChatModelSettings settings) {
    this.model = model;
    this.settings = settings;
  }

  /**
   * One with default parameters.
   *
   * @throws io.gatun.model.UnsupportedModelException when the model has no chat template
   */
  public static GatunStreamingChatModel of(LanguageModel model) {
    return of(model, ChatModelSettings.of(model));
  }

  /** One with settings of its own. */
  public static GatunStreamingChatModel of(LanguageModel model, ChatModelSettings settings) {
    Parameters.requireOwnName(settings.parameters(), settings.name());
    var _ = model.chatTemplate();
    return new GatunStreamingChatModel(model, settings);
  }

  @Override
  public void doChat(ChatRequest request, StreamingChatResponseHandler handler) {
    ChatCall call;
    try {
      call = ChatCall.open(model, settings.name(), request);
    } catch (RuntimeException e) {
      throw Failures.mapped(e);
    }
    var _ = Thread.ofVirtual().name("gatun-chat").start(() -> tell(call, handler));
  }

  private static void tell(ChatCall call, StreamingChatResponseHandler handler) {
    Handle handle = new Handle(call);
    try (call) {
      call.read(event -> tell(event, handler, handle));
      if (!handle.isCancelled()) {
        onCompleteResponse(handler, call.response());
      }
    } catch (RuntimeException e) {
      if (!handle.isCancelled()) {
        withLoggingExceptions(() -> handler.onError(Failures.mapped(e)));
      }
    }
  }

  private static void tell(ReplyEvent event, StreamingChatResponseHandler handler, Handle handle) {
    if (handle.isCancelled()) {
      return;
    }
    switch (event) {
      case ReplyEvent.Content(String text) -> onPartialResponse(handler, text, handle);
      case ReplyEvent.Reasoning(String text) -> onPartialThinking(handler, text, handle);
      case ReplyEvent.CallEnded(int index, var call) ->
          onCompleteToolCall(handler, new CompleteToolCall(index, ToolCalls.of(call)));
      case ReplyEvent.CallBegun _, ReplyEvent.CallArguments _ -> {}
    }
  }

  /** Stops the generation. */
  private static final class Handle implements StreamingHandle {
    private final ChatCall call;
    private volatile boolean cancelled;

    private Handle(ChatCall call) {
      this.call = call;
    }

    @Override
    public void cancel() {
      cancelled = true;
      call.cancel();
    }

    @Override
    public boolean isCancelled() {
      return cancelled;
    }
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
