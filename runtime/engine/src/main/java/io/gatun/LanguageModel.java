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
import io.gatun.model.chat.ToolDefinition;
import io.gatun.model.chat.reply.Reply;
import io.gatun.model.chat.reply.ReplyParser;
import io.gatun.model.chat.reply.ReplySettings;
import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonWriter;
import io.gatun.tensor.CapacityException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

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
  private Optional<Set<Integer>> replyMarks = Optional.empty();

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
    return stream(encode(prompt, options.parseSpecial()), options);
  }

  /** Streams a completion of tokens; read it to its end or close it. */
  public TokenStream stream(int[] prompt, GenerateOptions options) {
    return stream(prompt, options, Optional.empty());
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

  /** Completes a prompt on a virtual thread; cancelling the future stops the generation. */
  public CompletableFuture<Completion> completeAsync(String prompt, GenerateOptions options) {
    TokenStream stream = stream(prompt, options);
    CompletableFuture<Completion> result = new CompletableFuture<>();
    var _ = result.whenComplete((_, _) -> stream.close());
    var _ =
        Thread.ofVirtual()
            .name("gatun-completion")
            .start(() -> {
              try {
                result.complete(stream.complete());
              } catch (RuntimeException e) {
                result.completeExceptionally(e);
              }
            });
    return result;
  }

  /**
   * A completion as a reactive stream. Each subscriber gets one of its own, as fast as it asks for
   * pieces; cancelling the subscription stops the generation.
   */
  public Flow.Publisher<String> publish(String prompt, GenerateOptions options) {
    return new TextPublisher(() -> stream(prompt, options));
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
    Conversation asked = Conversation.of(List.of(ChatMessage.user(task)));
    int[] prompt = chats ? chatTemplate().encode(asked, vocabulary()) : encode(task + "\n", false);
    try (TokenStream stream = stream(prompt, options)) {
      return stream.complete();
    }
  }

  /**
   * Streams the assistant's answer to messages; read it to its end or close it.
   *
   * @throws io.gatun.model.UnsupportedModelException when the model has no chat template
   * @throws io.gatun.model.template.TemplateException when the template refuses the messages
   */
  public AnswerStream answer(List<ChatMessage> messages, GenerateOptions options) {
    return answer(Conversation.of(messages), options);
  }

  /** {@link #answer(List, GenerateOptions)} with tools or variables of the template. */
  public AnswerStream answer(Conversation conversation, GenerateOptions options) {
    int[] prompt = chatTemplate().encode(conversation, vocabulary());
    return answer(prompt, conversation, options, Optional.empty(), _ -> {});
  }

  /** Streams an answer to a listener, on a virtual thread; close the result to cancel. */
  public AutoCloseable answer(
      Conversation conversation, GenerateOptions options, AnswerListener listener) {
    AnswerStream stream = answer(conversation, options);
    var _ =
        Thread.ofVirtual()
            .name("gatun-listener")
            .start(() -> {
              try (stream) {
                stream.tell(listener);
                listener.onComplete(stream.complete());
              } catch (RuntimeException e) {
                listener.onError(e);
              }
            });
    return stream;
  }

  /**
   * Takes what the model replies to a prompt apart, for callers that make prompts themselves. It
   * needs the text with {@link #replyMarks}.
   *
   * @param prompt the tokens; whether they end in the middle of reasoning matters
   */
  public ReplyParser replyParser(int[] prompt, List<ToolDefinition> tools) {
    StringBuilder end = new StringBuilder();
    for (int token : Arrays.copyOfRange(prompt, Math.max(0, prompt.length - 64), prompt.length)) {
      boolean named = vocabulary().control(token);
      end.append(named ? vocabulary().show(token) : vocabulary().decode(token));
    }
    return ReplyParser.of(chatTemplate().source(), end.toString(), ReplySettings.of(tools));
  }

  /**
   * Tokens that are no text but mark something in the model's replies, such as {@code <|channel|>}.
   * Where {@link GenerateOptions#shown} has them, the text is what {@link #replyParser} takes.
   */
  public synchronized Set<Integer> replyMarks() {
    if (replyMarks.isEmpty()) {
      ReplyParser parser = replyParser(new int[0], List.of());
      Vocabulary tokens = vocabulary();
      replyMarks =
          Optional.of(
              IntStream.range(0, tokens.size())
                  .filter(t -> tokens.control(t) && !tokens.endsGeneration(t))
                  .filter(t -> parser.marks(tokens.show(t)))
                  .boxed()
                  .collect(Collectors.toUnmodifiableSet()));
    }
    return replyMarks.get();
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

  AnswerStream answer(
      int[] prompt,
      Conversation conversation,
      GenerateOptions options,
      Optional<KvSequence> keep,
      Consumer<Reply> onEnd) {
    // A grammar begins with the answer, whatever the prompt began.
    int[] begun = options.grammar().isPresent() ? new int[0] : prompt;
    ReplyParser parser = replyParser(begun, conversation.tools());
    Set<Integer> shown = new HashSet<>(options.shown());
    shown.addAll(replyMarks());
    TokenStream tokens = stream(prompt, options.withShown(shown), keep);
    int calls = conversation.messages().stream().mapToInt(m -> m.toolCalls().size()).sum();
    return new AnswerStream(tokens, parser, calls, onEnd);
  }

  private TokenStream stream(int[] prompt, GenerateOptions options, Optional<KvSequence> keep) {
    GenerateRequest request =
        GenerateRequest.of(prompt)
            .withSampling(options.sampling())
            .withMaxTokens(options.maxTokens())
            .withLogprobs(options.logprobs())
            .withAdapters(options.adapters())
            .withContextPolicy(options.contextPolicy())
            .withService(options.service());
    request = options.grammar().map(request::withGrammar).orElse(request);
    Generation generation =
        engine.submit(keep.isPresent() ? request.withKeep(keep.get()) : request);
    return new TokenStream(
        generation, new TextDecoder(vocabulary(), options.shown()), options.stop());
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
