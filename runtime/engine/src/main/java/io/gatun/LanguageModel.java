package io.gatun;

import io.gatun.engine.Engine;
import io.gatun.engine.FinishReason;
import io.gatun.engine.GenerateRequest;
import io.gatun.engine.Generation;
import io.gatun.engine.KvSequence;
import io.gatun.engine.grammar.Grammar;
import io.gatun.extract.TypeReader;
import io.gatun.extract.TypeSchema;
import io.gatun.model.Model;
import io.gatun.model.TextDecoder;
import io.gatun.model.Vocabulary;
import io.gatun.model.chat.ChatMessage;
import io.gatun.model.chat.ChatTemplate;
import io.gatun.model.chat.Conversation;
import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonWriter;
import io.gatun.tensor.CapacityException;
import java.util.List;
import java.util.Optional;

/**
 * A loaded model that generates text. Requests from several threads run together in one engine.
 *
 * <p>Thread-safe. Closing it stops what is running and frees its memory; every later use throws
 * {@link IllegalStateException}.
 */
public final class LanguageModel implements AutoCloseable {
  private final Engine engine;
  private final Adapters adapters;
  private Optional<ChatTemplate> chatTemplate = Optional.empty();

  LanguageModel(Engine engine) {
    this.engine = engine;
    this.adapters = new Adapters(engine);
  }

  /** Completes a prompt with default options. */
  public Completion complete(String prompt) {
    return complete(prompt, GenerateOptions.defaults());
  }

  /**
   * Completes a prompt.
   *
   * @throws io.gatun.tensor.CapacityException when the prompt is longer than the context
   */
  public Completion complete(String prompt, GenerateOptions options) {
    try (TokenStream stream = stream(prompt, options)) {
      return stream.complete();
    }
  }

  /** Streams a completion with default options. */
  public TokenStream stream(String prompt) {
    return stream(prompt, GenerateOptions.defaults());
  }

  /** Streams a completion; read it to its end or close it. */
  public TokenStream stream(String prompt, GenerateOptions options) {
    return stream(encode(prompt, options.parseSpecial()), options, Optional.empty(), _ -> {});
  }

  /** Streams a completion of tokens; read it to its end or close it. */
  public TokenStream stream(int[] prompt, GenerateOptions options) {
    return stream(prompt, options, Optional.empty(), _ -> {});
  }

  /** Streams a completion to a listener, on a virtual thread; close the result to cancel. */
  public AutoCloseable stream(String prompt, GenerateOptions options, TextListener listener) {
    TokenStream stream = stream(prompt, options);
    var _ =
        Thread.ofVirtual()
            .name("gatun-listener")
            .start(() -> {
              try (stream) {
                stream.forEach(listener::onText);
                listener.onComplete(stream.complete());
              } catch (RuntimeException e) {
                listener.onError(e);
              }
            });
    return stream;
  }

  /** {@link #extract(Class, String, GenerateOptions)}, always with the most probable tokens. */
  public <T> T extract(Class<T> type, String text) {
    return extract(type, text, GenerateOptions.greedy());
  }

  /**
   * Reads an object out of a text. The model writes JSON that fits the type, and nothing else.
   *
   * @param type a record, enum or sealed interface, see {@link TypeSchema}
   * @param text what the object is in, with a question if that helps
   * @throws IllegalArgumentException when the type has no schema, or its constructor refuses
   * @throws io.gatun.tensor.CapacityException when the context ended before the object did
   */
  public <T> T extract(Class<T> type, String text, GenerateOptions options) {
    JsonValue schema = TypeSchema.of(type);
    String task =
        "%s\n\nAnswer with a JSON object of this schema, and nothing else:\n%s"
            .formatted(text, JsonWriter.write(schema));
    Completion json = completeTask(task, options.withGrammar(Grammar.jsonSchema(schema)));
    if (json.finishReason() != FinishReason.STOP) {
      throw new CapacityException(
          "the JSON had not ended after %d tokens (%s); allow more tokens or a longer context"
              .formatted(json.usage().completionTokens(), json.finishReason()));
    }
    return TypeReader.read(type, json.text());
  }

  private Completion completeTask(String task, GenerateOptions options) {
    boolean chats = vocabulary().chatTemplate().isPresent();
    try (TokenStream stream =
        chats ? answer(List.of(ChatMessage.user(task)), options) : stream(task + "\n", options)) {
      return stream.complete();
    }
  }

  /**
   * Streams the assistant's answer to messages; read it to its end or close it.
   *
   * @throws io.gatun.model.UnsupportedModelException when the model has no chat template
   * @throws io.gatun.model.template.TemplateException when the template refuses the messages
   */
  public TokenStream answer(List<ChatMessage> messages, GenerateOptions options) {
    return answer(Conversation.of(messages), options);
  }

  /** {@link #answer(List, GenerateOptions)} with tools or variables of the template. */
  public TokenStream answer(Conversation conversation, GenerateOptions options) {
    int[] prompt = chatTemplate().encode(conversation, vocabulary());
    return stream(prompt, options, Optional.empty(), _ -> {});
  }

  /**
   * How conversations become prompts.
   *
   * @throws io.gatun.model.UnsupportedModelException when the model has no chat template
   */
  public synchronized ChatTemplate chatTemplate() {
    if (chatTemplate.isEmpty()) {
      chatTemplate = Optional.of(ChatTemplate.of(vocabulary()));
    }
    return chatTemplate.get();
  }

  /** Begins a conversation. */
  public ChatSession.Opening chat() {
    return new ChatSession.Opening(this);
  }

  /** Adapters that can change this model while it runs. */
  public Adapters adapters() {
    return adapters;
  }

  /** What is below: the model's file, numbers and vocabulary. */
  public Model model() {
    return engine.model();
  }

  /** What runs the requests, for callers that work with tokens. */
  public Engine engine() {
    return engine;
  }

  @Override
  public void close() {
    engine.close();
  }

  TokenStream stream(
      int[] prompt,
      GenerateOptions options,
      Optional<KvSequence> keep,
      java.util.function.Consumer<String> onEnd) {
    GenerateRequest request =
        GenerateRequest.of(prompt)
            .withSampling(options.sampling())
            .withMaxTokens(options.maxTokens())
            .withLogprobs(options.logprobs())
            .withAdapters(options.adapters())
            .withContextPolicy(options.contextPolicy());
    request = options.grammar().map(request::withGrammar).orElse(request);
    Generation generation =
        engine.submit(keep.isPresent() ? request.withKeep(keep.get()) : request);
    return new TokenStream(
        generation, new TextDecoder(vocabulary(), options.shown()), options.stop(), onEnd);
  }

  Vocabulary vocabulary() {
    return engine.model().vocabulary();
  }

  private int[] encode(String prompt, boolean parseSpecial) {
    int[] tokens = vocabulary().encode(prompt, true, parseSpecial);
    if (tokens.length > 0) {
      return tokens;
    }
    // An empty prompt, for a model that wants nothing at the beginning of a text.
    int begin = vocabulary().beginToken().orElse(vocabulary().endToken().orElse(-1));
    if (begin < 0) {
      throw new IllegalArgumentException("the prompt is empty, and the model has no BOS token");
    }
    return new int[] {begin};
  }
}
