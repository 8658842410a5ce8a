package io.gatun.model;

import io.gatun.model.gguf.GgufFile;
import io.gatun.tensor.NativeException;
import io.gatun.tensor.NativeThread;
import io.gatun.tensor.llama.LlamaModel;
import io.gatun.tensor.llama.TokenTable;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The tokens of a model: text to ids and back. The work is done by libllama, which knows every kind
 * of tokenizer that GGUF files name.
 *
 * <p>Thread-safe. Tokenizing runs on a thread of its own, so that a file whose vocabulary breaks
 * libllama's assumptions gives an exception and not the end of the process. What concerns single
 * tokens is in Java's memory and works even after closing.
 */
public final class Vocabulary implements AutoCloseable {
  /** The largest vocabularies take a second or two. */
  private static final Duration LOADING_MAX = Duration.ofMinutes(2);

  private final String name;
  private final NativeThread thread;
  private final Loaded loaded;
  private final Optional<String> chatTemplate;
  private volatile boolean closed;

  /** What is read at once, on the vocabulary's thread. */
  private record Loaded(
      LlamaModel llama,
      TokenTable tokens,
      int size,
      int kind,
      OptionalInt begin,
      OptionalInt end,
      boolean addsBegin,
      boolean addsEnd,
      OptionalInt separator) {

    static Loaded of(Path file) {
      LlamaModel llama = LlamaModel.vocabularyOf(file);
      try {
        int kind = llama.kind();
        return new Loaded(
            llama,
            llama.tokens(),
            llama.tokenCount(),
            kind,
            llama.beginToken(),
            llama.endToken(),
            kind != 0 && llama.addsBegin(),
            kind != 0 && llama.addsEnd(),
            kind != 0 ? llama.separator() : OptionalInt.empty());
      } catch (RuntimeException | Error e) {
        llama.close();
        throw e;
      }
    }
  }

  private Vocabulary(
      String name, NativeThread thread, Loaded loaded, Optional<String> chatTemplate) {
    this.name = name;
    this.thread = thread;
    this.loaded = loaded;
    this.chatTemplate = chatTemplate;
  }

  /**
   * Reads the vocabulary of a model whose header has been checked.
   *
   * @throws ModelFormatException when it cannot be used safely, or libllama refuses it
   */
  public static Vocabulary of(GgufFile file) {
    return of(file, LOADING_MAX);
  }

  /** {@link #of(GgufFile)}, and no more than so long. */
  static Vocabulary of(GgufFile file, Duration limit) {
    String name = file.metadata().file();
    VocabularyCheck.check(file);
    NativeThread thread = new NativeThread("gatun-vocabulary");
    CompletableFuture<Loaded> loading = thread.submit(() -> Loaded.of(file.parts().getFirst()));
    try {
      Loaded loaded = loading.get(limit.toMillis(), TimeUnit.MILLISECONDS);
      return new Vocabulary(name, thread, loaded, file.metadata().text("tokenizer.chat_template"));
    } catch (TimeoutException e) {
      abandon(thread, loading);
      throw new ModelFormatException(
          "%s: reading the vocabulary took more than %d s and was given up"
              .formatted(name, limit.toSeconds()),
          e);
    } catch (InterruptedException e) {
      abandon(thread, loading);
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while reading the vocabulary of " + name, e);
    } catch (ExecutionException e) {
      thread.close();
      throw refused(name, e.getCause() == null ? e : e.getCause());
    }
  }

  private static RuntimeException refused(String name, Throwable cause) {
    return switch (cause) {
      case NativeException e ->
          new ModelFormatException(
              "%s: cannot read the vocabulary: %s".formatted(name, e.getMessage()), e);
      case RuntimeException e -> e;
      case Error e -> throw e;
      default -> new IllegalStateException(cause);
    };
  }

  /** Nobody waits any longer; should it come back, it shall leave nothing behind. */
  private static void abandon(NativeThread thread, CompletableFuture<Loaded> loading) {
    var _ = loading.thenAccept(late -> late.llama().close());
    thread.closeLater();
  }

  /** How many tokens there are; ids are 0 to this, exclusive. */
  public int size() {
    return loaded.size();
  }

  /**
   * Text to ids.
   *
   * @param addSpecial whether to add the tokens that the model wants around a text, such as BOS
   * @param parseSpecial whether text like {@code <|im_end|>} becomes the token of that name; for
   *     text from users this should be false
   */
  public int[] encode(String text, boolean addSpecial, boolean parseSpecial) {
    requirePresent();
    return thread.call(() -> loaded.llama().tokenize(text, addSpecial, parseSpecial));
  }

  /** The bytes that a token stands for: possibly none, possibly a part of a character. */
  public byte[] bytes(int token) {
    requireTokens();
    return loaded.tokens().bytes(token);
  }

  /** How a token is written, special ones by their name. */
  public String show(int token) {
    requireTokens();
    return loaded.tokens().show(token);
  }

  /** Ids to text; special tokens give nothing. */
  public String decode(int... tokens) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (int token : tokens) {
      all.writeBytes(bytes(token));
    }
    return all.toString(StandardCharsets.UTF_8);
  }

  /** Whether generation ends at a token: EOS, and end-of-turn tokens. */
  public boolean endsGeneration(int token) {
    return present() && loaded.tokens().endsGeneration(token);
  }

  /** Whether a token steers the model instead of standing for text. */
  public boolean control(int token) {
    return present() && loaded.tokens().control(token);
  }

  /** BOS. */
  public OptionalInt beginToken() {
    return loaded.begin();
  }

  /** EOS. */
  public OptionalInt endToken() {
    return loaded.end();
  }

  /** Whether the model wants BOS before a text. */
  public boolean addsBegin() {
    return loaded.addsBegin();
  }

  /** Whether the model wants EOS behind a text. */
  public boolean addsEnd() {
    return loaded.addsEnd();
  }

  /** The token that the model wants between two texts, if it does. */
  public OptionalInt separator() {
    return loaded.separator();
  }

  /** The tokenizer's kind in the words of GGUF files' authors. */
  public String kind() {
    return switch (loaded.kind()) {
      case 1 -> "SentencePiece (SPM)";
      case 2 -> "byte-pair encoding (BPE)";
      case 3 -> "WordPiece (WPM)";
      case 4 -> "unigram (UGM)";
      case 5 -> "RWKV";
      case 6 -> "PLaMo-2";
      default -> "none";
    };
  }

  /** The file's chat template, in Jinja. */
  public Optional<String> chatTemplate() {
    return chatTemplate;
  }

  /** Whether there is a tokenizer at all; files of bare weights may have none. */
  private boolean present() {
    return loaded.kind() != 0;
  }

  private void requirePresent() {
    if (closed) {
      throw new IllegalStateException("already closed: vocabulary of " + name);
    }
    requireTokens();
  }

  /** Tokens themselves are Java's: a text that was generated before the close can still be read. */
  private void requireTokens() {
    if (!present()) {
      throw new UnsupportedModelException(
          "the model has no vocabulary: it works on token ids only");
    }
  }

  /** Waits for who is tokenizing; their results are still delivered. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      if (!thread.dead()) {
        var _ =
            thread.submit(() -> {
              loaded.llama().close();
              return true;
            });
      }
      thread.close();
    }
  }
}
