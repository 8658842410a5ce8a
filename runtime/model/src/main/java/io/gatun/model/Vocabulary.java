package io.gatun.model;

import io.gatun.model.gguf.GgufFile;
import io.gatun.tensor.NativeException;
import io.gatun.tensor.NativeThread;
import io.gatun.tensor.llama.LlamaModel;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The tokens of a model: text to ids and back. The work is done by libllama, which knows every kind
 * of tokenizer that GGUF files name.
 *
 * <p>Thread-safe. Tokenizing runs on a thread of its own, so that a file whose vocabulary breaks
 * libllama's assumptions gives an exception and not the end of the process.
 */
public final class Vocabulary implements AutoCloseable {
  private final NativeThread thread;
  private final LlamaModel llama;
  private final Optional<String> chatTemplate;
  private final int size;

  /** Whether there is a tokenizer at all; files of bare weights may have none. */
  private final boolean present;

  private final String name;
  private volatile boolean closed;

  private Vocabulary(
      String name, NativeThread thread, LlamaModel llama, Optional<String> chatTemplate) {
    this.name = name;
    this.thread = thread;
    this.llama = llama;
    this.chatTemplate = chatTemplate;
    this.size = llama.tokenCount();
    this.present = llama.kind() != 0;
  }

  /**
   * Reads the vocabulary of a model whose header has been checked.
   *
   * @throws ModelFormatException when libllama refuses it, with its reason
   */
  public static Vocabulary of(GgufFile file) {
    NativeThread thread = new NativeThread("gatun-vocabulary");
    try {
      LlamaModel llama = thread.call(() -> LlamaModel.vocabularyOf(file.parts().getFirst()));
      return new Vocabulary(
          file.metadata().file(), thread, llama, file.metadata().text("tokenizer.chat_template"));
    } catch (NativeException e) {
      thread.close();
      throw new ModelFormatException(
          "%s: cannot read the vocabulary: %s".formatted(file.metadata().file(), e.getMessage()),
          e);
    }
  }

  /** How many tokens there are; ids are 0 to this, exclusive. */
  public int size() {
    return size;
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
    return thread.call(() -> llama.tokenize(text, addSpecial, parseSpecial));
  }

  /** The bytes that a token stands for: possibly none, possibly a part of a character. */
  public byte[] bytes(int token) {
    requirePresent();
    return llama.piece(token, false);
  }

  /** How a token is written, special ones by their name. */
  public String show(int token) {
    requirePresent();
    return new String(llama.piece(token, true), StandardCharsets.UTF_8);
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
    return present && llama.endsGeneration(token);
  }

  /** Whether a token steers the model instead of standing for text. */
  public boolean control(int token) {
    return present && llama.control(token);
  }

  /** BOS. */
  public OptionalInt beginToken() {
    return llama.beginToken();
  }

  /** EOS. */
  public OptionalInt endToken() {
    return llama.endToken();
  }

  /** Whether the model wants BOS before a text. */
  public boolean addsBegin() {
    return present && llama.addsBegin();
  }

  /** The tokenizer's kind in the words of GGUF files' authors. */
  public String kind() {
    return switch (llama.kind()) {
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

  /**
   * Messages (role, content) in the format that the file's chat template stands for.
   *
   * @throws UnsupportedModelException when the file has no template, or one that libllama does not
   *     recognise
   */
  public String renderChat(List<Map.Entry<String, String>> messages, boolean addAssistant) {
    String template =
        chatTemplate.orElseThrow(
            () -> new UnsupportedModelException("the model has no chat template"));
    return llama
        .renderChat(template, messages, addAssistant)
        .orElseThrow(() ->
            new UnsupportedModelException(
                "the model's chat template is none of the known formats"));
  }

  private void requirePresent() {
    if (closed) {
      throw new IllegalStateException("already closed: vocabulary of " + name);
    }
    if (!present) {
      throw new UnsupportedModelException(
          "the model has no vocabulary: it works on token ids only");
    }
  }

  @Override
  public void close() {
    closed = true;
    llama.close();
    thread.close();
  }
}
