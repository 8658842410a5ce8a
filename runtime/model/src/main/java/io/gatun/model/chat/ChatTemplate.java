package io.gatun.model.chat;

import io.gatun.model.UnsupportedModelException;
import io.gatun.model.Vocabulary;
import io.gatun.model.chat.ChatMessage.Role;
import io.gatun.model.json.JsonValue;
import io.gatun.model.template.Template;
import io.gatun.model.template.TemplateException;
import io.gatun.model.template.TemplateLimits;
import java.lang.System.Logger.Level;
import java.time.Clock;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Makes prompts out of conversations as a model's own template says, which is Jinja inside of the
 * GGUF file, rendered as Hugging Face does. Immutable, thread-safe.
 *
 * <p>Where a template knows no system messages, the first user message begins with their text.
 * Where it wants texts as lists of parts, it gets them so, and reasoning under the name that it
 * looks for.
 */
public final class ChatTemplate {
  private static final System.Logger LOG = System.getLogger("io.gatun.model");
  private static final String PROBE = "gatun-probe-7f3a";

  private final Template template;
  private final String source;
  private final String begin;
  private final String end;
  private final Clock clock;
  private final boolean parts;
  private final boolean system;
  private final ReasoningField reasoning;

  /**
   * @param begin text of the token before a text, empty for none
   * @param end text of the token behind one
   * @param clock what templates that write a date ask
   * @throws TemplateException when the template is malformed
   */
  public ChatTemplate(String source, String begin, String end, Clock clock) {
    this.template = Template.parse(source);
    this.source = source;
    this.begin = begin;
    this.end = end;
    this.clock = clock;
    this.reasoning = ReasoningField.of(source);
    this.parts = !probe(false, ChatMessage.user(PROBE)) && probe(true, ChatMessage.user(PROBE));
    this.system = probe(parts, ChatMessage.system(PROBE), ChatMessage.user("x"));
  }

  /**
   * The template of a model: the file's, or that of its family.
   *
   * @throws UnsupportedModelException when it has none, or a malformed one
   */
  public static ChatTemplate of(Vocabulary vocabulary) {
    String source = vocabulary.chatTemplate().orElseGet(() -> known(vocabulary));
    try {
      return new ChatTemplate(
          source,
          text(vocabulary, vocabulary.beginToken()),
          text(vocabulary, vocabulary.endToken()),
          Clock.system(ZoneId.systemDefault()));
    } catch (TemplateException e) {
      throw new UnsupportedModelException(
          "the model's chat template cannot be read: " + e.getMessage());
    }
  }

  private static String known(Vocabulary vocabulary) {
    KnownTemplates.Found found =
        KnownTemplates.find(token -> vocabulary.encode(token, false, true).length == 1)
            .orElseThrow(() ->
                new UnsupportedModelException(
                    "the model has no chat template, and its tokens are of no known family"));
    LOG.log(
        Level.WARNING, "the model has no chat template; that of " + found.family() + " is used");
    return found.template();
  }

  private static String text(Vocabulary vocabulary, OptionalInt token) {
    return token.isPresent() ? vocabulary.show(token.getAsInt()) : "";
  }

  /**
   * The prompt of a conversation. Special tokens stand in it by their names.
   *
   * @throws TemplateException when the template refuses the conversation, for example two messages
   *     of one side in a row
   */
  public String render(Conversation conversation) {
    return render(conversation, parts, system);
  }

  /** The template's own text. */
  public String source() {
    return source;
  }

  /** The tokens of a conversation's prompt. */
  public int[] encode(Conversation conversation, Vocabulary vocabulary) {
    String prompt = render(conversation);
    // Most templates write the token themselves that the vocabulary would put before a text.
    boolean begun = !begin.isEmpty() && prompt.startsWith(begin);
    return vocabulary.encode(prompt, !begun, true);
  }

  private String render(Conversation conversation, boolean asParts, boolean withSystem) {
    List<ChatMessage> messages =
        withSystem ? conversation.messages() : merged(conversation.messages());
    Map<String, JsonValue> variables = new LinkedHashMap<>(conversation.variables());
    variables.put(
        "messages",
        JsonValue.of(
            messages.stream()
                .map(m -> reasoning.fitting(m).toJson(asParts, reasoning.name()))
                .toList()));
    if (!conversation.tools().isEmpty()) {
      variables.put(
          "tools",
          JsonValue.of(conversation.tools().stream().map(ToolDefinition::toJson).toList()));
    }
    variables.put("add_generation_prompt", JsonValue.of(conversation.beginAnswer()));
    variables.put("bos_token", JsonValue.of(begin));
    variables.put("eos_token", JsonValue.of(end));
    return template.render(variables, clock, TemplateLimits.DEFAULT);
  }

  /** System messages become the beginning of the user message behind them. */
  private static List<ChatMessage> merged(List<ChatMessage> messages) {
    List<ChatMessage> kept = new ArrayList<>();
    Optional<String> waiting = Optional.empty();
    for (ChatMessage message : messages) {
      if (message.role() == Role.SYSTEM) {
        waiting = Optional.of(waiting.map(w -> w + "\n").orElse("") + message.content());
      } else if (waiting.isPresent() && message.role() == Role.USER) {
        kept.add(message.withContent(waiting.get() + "\n" + message.content()));
        waiting = Optional.empty();
      } else {
        kept.add(message);
      }
    }
    waiting.ifPresent(text -> kept.add(ChatMessage.user(text)));
    return kept;
  }

  /** Whether a message's text gets into the prompt. */
  private boolean probe(boolean asParts, ChatMessage... messages) {
    try {
      return render(Conversation.of(List.of(messages)), asParts, true).contains(PROBE);
    } catch (TemplateException refused) {
      return false;
    }
  }
}
