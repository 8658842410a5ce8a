package io.gatun.langchain4j;

import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.TokenUsage;
import io.gatun.GenerateOptions;
import io.gatun.LanguageModel;
import io.gatun.engine.FinishReason;
import io.gatun.engine.Usage;
import io.gatun.model.chat.Conversation;
import io.gatun.model.chat.ToolDefinition;
import io.gatun.model.chat.reply.Reply;
import io.gatun.model.chat.reply.ReplyEvent;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;

/** One request under way. For one thread; {@link #cancel} and {@link #close} for any. */
final class ChatCall implements AutoCloseable {
  private final String modelName;
  private final RunningReply running;

  private ChatCall(String modelName, RunningReply running) {
    this.modelName = modelName;
    this.running = running;
  }

  static ChatCall open(LanguageModel model, String name, ChatRequest request) {
    Parameters.requireOwnName(request.parameters(), name);
    GenerateOptions options = Parameters.options(request.parameters());
    List<ToolDefinition> tools = ToolCalls.definitions(request.toolSpecifications());
    boolean required = request.toolChoice() == ToolChoice.REQUIRED && !tools.isEmpty();
    boolean offered = request.toolChoice() != ToolChoice.NONE && !tools.isEmpty();
    if (options.grammar().isPresent() && offered) {
      throw Failures.unsupported("a response format together with tools");
    }
    Conversation conversation =
        Conversation.of(Messages.of(request.messages())).withTools(offered ? tools : List.of());
    return new ChatCall(
        name,
        required
            ? RequiredCall.open(model, conversation, options, tools)
            : RunningReply.of(model.answer(conversation, options)));
  }

  /** Reads the answer to its end. */
  void read(Consumer<ReplyEvent> reader) {
    running.read(reader);
  }

  /** The whole answer, after {@link #read}. */
  ChatResponse response() {
    Reply reply = running.reply();
    Usage usage = running.usage();
    return ChatResponse.builder()
        .id(UUID.randomUUID().toString())
        .modelName(modelName)
        .aiMessage(ToolCalls.message(reply))
        .tokenUsage(new TokenUsage(usage.promptTokens(), usage.completionTokens()))
        .finishReason(reason(running.finishReason(), !reply.goodCalls().isEmpty()))
        .build();
  }

  private static dev.langchain4j.model.output.FinishReason reason(
      FinishReason reason, boolean calls) {
    return switch (reason) {
      case STOP, STOP_TEXT ->
          calls
              ? dev.langchain4j.model.output.FinishReason.TOOL_EXECUTION
              : dev.langchain4j.model.output.FinishReason.STOP;
      case LENGTH, CONTEXT_FULL -> dev.langchain4j.model.output.FinishReason.LENGTH;
      default -> dev.langchain4j.model.output.FinishReason.OTHER;
    };
  }

  void cancel() {
    running.cancel();
  }

  @Override
  public void close() {
    running.close();
  }
}
