package io.gatun.server.ollama;

import io.gatun.LanguageModel;
import io.gatun.model.chat.ChatMessage;
import io.gatun.model.chat.ChatMessage.ToolCall;
import io.gatun.model.chat.Conversation;
import io.gatun.model.json.JsonValue;
import io.gatun.server.generate.ChatPlan;
import io.gatun.server.generate.Texts;
import io.gatun.server.generate.ToolUse;
import io.gatun.server.http.ApiException;
import io.gatun.server.http.Endpoint;
import io.gatun.server.http.ErrorForm;
import io.gatun.server.http.Exchange;
import io.gatun.server.http.Fields;
import io.gatun.server.http.Json;
import io.gatun.server.models.ModelUse;
import io.gatun.server.openai.ToolFields;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** {@code POST /api/chat}: the assistant's answer, in lines unless it is wanted whole. */
public final class Chat implements Endpoint {
  private static final int MESSAGES_MAX = 10_000;
  private static final int CALLS_MAX = 128;

  private final Texts texts;

  public Chat(Texts texts) {
    this.texts = texts;
  }

  @Override
  public String method() {
    return "POST";
  }

  @Override
  public String path() {
    return "/api/chat";
  }

  @Override
  public ErrorForm errors() {
    return Ollama.ERRORS;
  }

  @Override
  public void answer(Exchange exchange) throws IOException, InterruptedException {
    Fields body = exchange.body();
    try (ModelUse use = Ollama.use(texts, body)) {
      boolean stream = body.bool("stream").orElse(true);
      ChatPlan plan = plan(body, use.text());
      AnswerLines.Form form =
          (line, said) -> line.put("message", Json.object().put("role", "assistant").putAll(said));
      texts.chat(
          exchange,
          use,
          plan,
          run -> new AnswerLines(use.name(), form).send(exchange, run, stream));
    }
  }

  private static ChatPlan plan(Fields body, LanguageModel model) {
    ToolUse tools = ToolFields.read(body);
    Conversation conversation =
        Conversation.of(messages(body))
            .withTools(tools.offered())
            .withVariables(AnswerLines.thinking(body));
    ChatPlan plan =
        new ChatPlan(conversation, tools.enforced(Ollama.options(body, model), "format"), tools, 1);
    body.end();
    return plan;
  }

  private static List<ChatMessage> messages(Fields body) {
    List<ChatMessage> messages = new ArrayList<>();
    List<ToolCall> called = new ArrayList<>();
    for (JsonValue item : body.items("messages", MESSAGES_MAX)) {
      messages.add(message(Fields.of(item, "messages[%d]".formatted(messages.size())), called));
    }
    if (messages.isEmpty()) {
      throw body.missing("messages");
    }
    return messages;
  }

  private static ChatMessage message(Fields fields, List<ToolCall> called) {
    if (!fields.items("images", 1).isEmpty()) {
      throw ApiException.field(fields.path("images"), "the model sees none");
    }
    String text = fields.text("content").orElse("");
    String role = fields.requiredText("role");
    ChatMessage message =
        switch (role) {
          case "system" -> ChatMessage.system(text);
          case "user" -> ChatMessage.user(text);
          case "assistant" -> assistant(fields, text, called);
          case "tool" -> tool(fields, text, called);
          default ->
              throw ApiException.field(
                  fields.path("role"), "must be system, user, assistant or tool");
        };
    fields.end();
    return message;
  }

  private static ChatMessage assistant(Fields fields, String text, List<ToolCall> called) {
    List<ToolCall> calls = new ArrayList<>();
    for (JsonValue item : fields.items("tool_calls", CALLS_MAX)) {
      String path = "%s[%d]".formatted(fields.path("tool_calls"), calls.size());
      Fields call = Fields.of(item, path).ignore("type", "id");
      Fields function = call.object("function").orElseThrow(() -> call.missing("function"));
      function.ignore("index", "description");
      calls.add(
          new ToolCall(
              "call_" + called.size(),
              function.requiredText("name"),
              function.members("arguments").orElse(JsonValue.Members.EMPTY)));
      called.add(calls.getLast());
      function.end();
      call.end();
    }
    return ChatMessage.assistant(text)
        .withReasoning(fields.text("thinking").orElse(""))
        .withToolCalls(calls);
  }

  /** Calls have no ids here: a result is that of the tool's last call, or of the last one. */
  private static ChatMessage tool(Fields fields, String text, List<ToolCall> called) {
    fields.ignore("tool_call_id");
    String name = fields.text("tool_name").or(() -> fields.text("name")).orElse("");
    for (ToolCall call : called.reversed()) {
      if (name.isEmpty() || call.name().equals(name)) {
        return ChatMessage.tool(call.id(), call.name(), text);
      }
    }
    throw ApiException.field(fields.path("role"), "no tool was called before");
  }
}
