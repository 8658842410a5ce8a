package io.gatun;

import io.gatun.engine.AdapterUse;
import io.gatun.engine.KvSequence;
import io.gatun.model.adapter.Adapter;
import io.gatun.model.chat.ChatMessage;
import io.gatun.model.chat.ChatMessage.Role;
import io.gatun.model.chat.Conversation;
import io.gatun.model.chat.ToolDefinition;
import io.gatun.model.json.JsonValue;
import io.gatun.tensor.CapacityException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A conversation. Each message costs only its own tokens: what was said before stays in the KV
 * cache.
 *
 * <p>Not thread-safe; one message at a time.
 */
public final class ChatSession implements AutoCloseable {
  /** An answer gets at least so much of the context: one in eight. */
  private static final int ANSWER_SHARE = 8;

  private final LanguageModel model;
  private final KvSequence cache;
  private GenerateOptions options;
  private final List<ChatMessage> messages = new ArrayList<>();
  private final Overflow overflow;
  private final Optional<ForgottenTurns> shifts;
  private final List<ToolDefinition> tools;
  private final Map<String, JsonValue> variables;

  /** The answer before, which may still be stopping. */
  private Optional<AnswerStream> last = Optional.empty();

  private ChatSession(LanguageModel model, Opening opening) {
    this.model = model;
    this.options = opening.options;
    this.cache = model.engine().newSequence();
    this.overflow = opening.overflow;
    this.tools = opening.tools;
    this.variables = opening.variables;
    opening.system.ifPresent(text -> messages.add(ChatMessage.system(text)));
    this.shifts =
        overflow == Overflow.SHIFT
            ? Optional.of(new ForgottenTurns(this::encode, messages))
            : Optional.empty();
  }

  /** What happens when a conversation no longer fits into the context. */
  public enum Overflow {
    /** The next message is refused with a {@link CapacityException}; the conversation stays. */
    ERROR,
    /** The oldest questions are forgotten with their answers; system messages stay. */
    FORGET_OLDEST,
    /**
     * The older half of what is behind the system message is forgotten whenever the context is
     * full, also while an answer is written, which therefore has no end of its own but {@link
     * GenerateOptions#maxTokens}: {@link io.gatun.engine.ContextShift}. {@link #messages} stay.
     */
    SHIFT
  }

  /**
   * Streams the answer to a message; read it to its end or close it before the next message. What
   * was read of it becomes part of the conversation.
   *
   * @throws CapacityException when the conversation no longer fits, see {@link Overflow}
   */
  public AnswerStream send(String text) {
    finishLast();
    return answer(List.of(ChatMessage.user(text)));
  }

  /**
   * Streams the answer to what tools gave: {@link ChatMessage#tool} for each call of the answer
   * before.
   *
   * @throws CapacityException when the conversation no longer fits, see {@link Overflow}
   * @throws IllegalArgumentException when a message is no tool's
   */
  public AnswerStream sendResults(List<ChatMessage> results) {
    finishLast();
    if (results.isEmpty() || results.stream().anyMatch(m -> m.role() != Role.TOOL)) {
      throw new IllegalArgumentException("these are no results of tools: " + results);
    }
    return answer(results);
  }

  /**
   * Streams another answer to the last question; the one before is forgotten.
   *
   * @throws IllegalStateException when nothing was asked
   */
  public AnswerStream regenerate() {
    finishLast();
    for (int i = messages.size() - 1; i >= 0; i--) {
      if (messages.get(i).role() == Role.USER) {
        return edit(i, messages.get(i).content());
      }
    }
    throw new IllegalStateException("nothing was asked yet");
  }

  /**
   * Changes an earlier question and streams the answer to it; what came behind is forgotten. What
   * came before need not be computed again.
   *
   * @param index of a user's message among {@link #messages}
   */
  public AnswerStream edit(int index, String text) {
    finishLast();
    if (index < 0 || index >= messages.size() || messages.get(index).role() != Role.USER) {
      throw new IllegalArgumentException(
          "message %d is no question of the user's".formatted(index));
    }
    messages.subList(index, messages.size()).clear();
    shifts.ifPresent(ForgottenTurns::clear);
    return answer(List.of(ChatMessage.user(text)));
  }

  /** The conversation so far: a copy. */
  public List<ChatMessage> messages() {
    finishLast();
    return List.copyOf(messages);
  }

  private AnswerStream answer(List<ChatMessage> asked) {
    messages.addAll(asked);
    try {
      AnswerStream answer =
          model.answer(
              fitting(),
              conversation(messages),
              shifts.map(s -> options.withContextPolicy(s.policy())).orElse(options),
              Optional.of(cache),
              reply -> messages.add(reply.message()));
      last = Optional.of(answer);
      return answer;
    } catch (RuntimeException e) {
      asked.forEach(_ -> messages.removeLast());
      throw e;
    }
  }

  /** The prompt, with room for an answer behind it. */
  private int[] fitting() {
    if (shifts.isPresent()) {
      return shifts.get().without(encode(messages), cache.tokens());
    }
    int context = model.engine().contextTokens();
    int room = Math.min(options.maxTokens(), context / ANSWER_SHARE);
    while (true) {
      int[] prompt = encode(messages);
      if (prompt.length + room <= context) {
        return prompt;
      }
      if (overflow == Overflow.ERROR || !forgetOldest()) {
        throw new CapacityException(
            "the conversation has %d tokens and its answer needs %d, but the context only has %d; ask for a longer context (--context), or let the oldest messages be forgotten"
                .formatted(prompt.length, room, context));
      }
    }
  }

  /** Drops the oldest question with what answered it; false when only the last one is left. */
  private boolean forgetOldest() {
    int first = 0;
    while (messages.get(first).role() == Role.SYSTEM) {
      first++;
    }
    int next = first + 1;
    while (next < messages.size() && messages.get(next).role() != Role.USER) {
      next++;
    }
    if (next == messages.size()) {
      return false;
    }
    messages.subList(first, next).clear();
    return true;
  }

  private int[] encode(List<ChatMessage> said) {
    return model.chatTemplate().encode(conversation(said), model.vocabulary());
  }

  private Conversation conversation(List<ChatMessage> said) {
    return Conversation.of(said).withTools(tools).withVariables(variables);
  }

  private void finishLast() {
    last.ifPresent(stream -> {
      stream.end();
      shifts.ifPresent(s -> s.add(stream));
    });
    last = Optional.empty();
  }

  /**
   * From the next message on, exactly this adapter acts. What was computed with others is computed
   * again then, because keys and values depend on it; the conversation stays.
   */
  public ChatSession with(Adapter adapter, float scale) {
    return with(List.of(new AdapterUse(adapter, scale)));
  }

  /** From the next message on, exactly these adapters act; none for the model as it is. */
  public ChatSession with(List<AdapterUse> adapters) {
    options = options.withAdapters(adapters);
    return this;
  }

  /** Forgets everything but the system message. */
  public void clear() {
    finishLast();
    messages.removeIf(m -> m.role() != Role.SYSTEM);
    shifts.ifPresent(ForgottenTurns::clear);
  }

  @Override
  public void close() {
    cache.close();
  }

  /** What a conversation begins with. */
  public static final class Opening {
    private final LanguageModel model;
    private Optional<String> system = Optional.empty();
    private GenerateOptions options = GenerateOptions.defaults();
    private Overflow overflow = Overflow.ERROR;
    private List<ToolDefinition> tools = List.of();
    private Map<String, JsonValue> variables = Map.of();

    Opening(LanguageModel model) {
      this.model = model;
    }

    /** Tells the model how to behave. */
    public Opening system(String text) {
      system = Optional.of(text);
      return this;
    }

    /** What happens when the conversation no longer fits; an error unless told otherwise. */
    public Opening overflow(Overflow policy) {
      overflow = policy;
      return this;
    }

    /** What the model may call; a call becomes a part of its answer and is not carried out. */
    public Opening tools(List<ToolDefinition> known) {
      tools = List.copyOf(known);
      return this;
    }

    /** Variables of the model's template, such as {@code enable_thinking}. */
    public Opening variables(Map<String, JsonValue> values) {
      variables = Map.copyOf(values);
      return this;
    }

    public Opening options(GenerateOptions other) {
      options = other;
      return this;
    }

    /**
     * Begins.
     *
     * @throws io.gatun.model.UnsupportedModelException when the model has no chat template and is
     *     of no known family
     */
    public ChatSession open() {
      var _ = model.chatTemplate();
      return new ChatSession(model, this);
    }
  }
}
