package io.gatun;

import io.gatun.engine.AdapterUse;
import io.gatun.engine.KvSequence;
import io.gatun.model.adapter.Adapter;
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
  private final LanguageModel model;
  private final KvSequence cache;
  private GenerateOptions options;
  private final List<Map.Entry<String, String>> messages = new ArrayList<>();

  /** The answer before, which may still be stopping. */
  private Optional<TokenStream> last = Optional.empty();

  private ChatSession(LanguageModel model, Opening opening) {
    this.model = model;
    this.options = opening.options;
    this.cache = model.engine().newSequence();
    opening.system.ifPresent(text -> messages.add(Map.entry("system", text)));
  }

  /**
   * Streams the answer to a message; read it to its end or close it before the next message. What
   * was read of it becomes part of the conversation.
   */
  public TokenStream send(String text) {
    last.ifPresent(TokenStream::end);
    messages.add(Map.entry("user", text));
    try {
      String prompt = model.vocabulary().renderChat(messages, true);
      int[] tokens = model.vocabulary().encode(prompt, true, true);
      TokenStream answer =
          model.stream(
              tokens,
              options,
              Optional.of(cache),
              spoken -> messages.add(Map.entry("assistant", spoken)));
      last = Optional.of(answer);
      return answer;
    } catch (RuntimeException e) {
      messages.removeLast();
      throw e;
    }
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
    messages.removeIf(m -> !m.getKey().equals("system"));
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

    Opening(LanguageModel model) {
      this.model = model;
    }

    /** Tells the model how to behave. */
    public Opening system(String text) {
      system = Optional.of(text);
      return this;
    }

    public Opening options(GenerateOptions other) {
      options = other;
      return this;
    }

    /**
     * Begins.
     *
     * @throws io.gatun.model.UnsupportedModelException when the model has no chat template, or one
     *     that Gatun does not know
     */
    public ChatSession open() {
      var _ = model.vocabulary().renderChat(List.of(Map.entry("user", "")), true);
      return new ChatSession(model, this);
    }
  }
}
