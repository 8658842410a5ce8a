package io.gatun.langchain4j;

import io.gatun.GenerateOptions;
import io.gatun.LanguageModel;
import io.gatun.TokenStream;
import io.gatun.ToolCallForm;
import io.gatun.engine.FinishReason;
import io.gatun.engine.Usage;
import io.gatun.model.chat.Conversation;
import io.gatun.model.chat.ToolDefinition;
import io.gatun.model.chat.reply.Reply;
import io.gatun.model.chat.reply.ReplyEvent;
import java.util.List;
import java.util.function.Consumer;

/** A reply that has to be a tool call: a grammar lets the model write nothing else. */
final class RequiredCall implements RunningReply {
  private final TokenStream stream;
  private Reply reply = new Reply("", "", List.of());

  private RequiredCall(TokenStream stream) {
    this.stream = stream;
  }

  static RequiredCall open(
      LanguageModel model,
      Conversation conversation,
      GenerateOptions options,
      List<ToolDefinition> tools) {
    int[] prompt = model.chatTemplate().encode(conversation, model.model().vocabulary());
    GenerateOptions forced = options.withGrammar(ToolCallForm.grammar(tools));
    return new RequiredCall(model.stream(prompt, forced));
  }

  @Override
  public void read(Consumer<ReplyEvent> reader) {
    String text = stream.complete().text();
    reply = ToolCallForm.read(text).numbered(0);
    if (reply.calls().isEmpty()) {
      reader.accept(new ReplyEvent.Content(text));
    } else {
      reader.accept(new ReplyEvent.CallEnded(0, reply.calls().getFirst()));
    }
  }

  @Override
  public Reply reply() {
    return reply;
  }

  @Override
  public FinishReason finishReason() {
    return stream.finishReason();
  }

  @Override
  public Usage usage() {
    return stream.usage();
  }

  @Override
  public void cancel() {
    stream.cancel();
  }

  @Override
  public void close() {
    stream.close();
  }
}
