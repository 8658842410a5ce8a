package io.gatun.model;

import io.gatun.model.gguf.GgufFile;
import io.gatun.model.gguf.GgufMetadata;
import io.gatun.model.gguf.GgufValue;
import io.gatun.model.gguf.PackedNumbers;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.List;

/**
 * Refuses vocabularies that libllama would load but then fail with: by an exception that nobody
 * catches, without end, or out of memory. What it refuses itself at load is left to it.
 *
 * @source llama.cpp v0.4.0, src/llama-vocab.cpp
 */
final class VocabularyCheck {
  /** The largest vocabularies have a quarter of a million. */
  private static final long TOKENS_MAX = 1L << 22;

  /**
   * For tokenizers that make something of every ending of every token: the sum of the squares of
   * their lengths. Real vocabularies have a few tens of millions.
   */
  private static final long SQUARES_MAX = 1L << 28;

  /** Characters that replace one, in a unigram tokenizer's table; the longest real one has 33. */
  private static final int REPLACEMENT_BYTES_MAX = 1024;

  private final GgufMetadata metadata;

  private VocabularyCheck(GgufMetadata metadata) {
    this.metadata = metadata;
  }

  /**
   * Looks at what a file says of its vocabulary.
   *
   * @throws ModelFormatException when it cannot be used safely
   */
  static void check(GgufFile file) {
    new VocabularyCheck(file.metadata()).check();
  }

  private void check() {
    String model =
        metadata
            .text("tokenizer.ggml.model")
            .orElseThrow(() -> metadata.missing("tokenizer.ggml.model"));
    if (model.equals("no_vocab") || model.equals("none")) {
      checkCount();
      return;
    }
    List<String> tokens = tokens();
    lengthOf("tokenizer.ggml.scores", tokens.size());
    lengthOf("tokenizer.ggml.token_type", tokens.size());
    switch (model) {
      case "llama" -> requireBytes(tokens);
      case "rwkv" -> requirePrefixes(tokens);
      case "t5" -> checkReplacements();
      case "bert" -> {}
      default -> checkSquares(tokens); // byte-pair encoding and PLaMo-2
    }
  }

  /** Without a tokenizer, libllama makes as many empty tokens as it is told. */
  private void checkCount() {
    String key = metadata.text("general.architecture").orElse("") + ".vocab_size";
    long count = metadata.integer(key).orElse(0L);
    if (count < 0 || count > TOKENS_MAX) {
      throw broken("%s is %d, expected at most %d".formatted(key, count, TOKENS_MAX));
    }
  }

  private List<String> tokens() {
    List<String> tokens =
        metadata
            .texts("tokenizer.ggml.tokens")
            .orElseThrow(() -> metadata.missing("tokenizer.ggml.tokens"));
    if (tokens.isEmpty() || tokens.size() > TOKENS_MAX) {
      throw broken(
          "the vocabulary has %d tokens, expected 1 to %d".formatted(tokens.size(), TOKENS_MAX));
    }
    return tokens;
  }

  private void lengthOf(String key, int tokens) {
    int length = metadata.arrayLength(key).orElse(tokens);
    if (length < tokens) {
      throw broken("%s has %d entries for %d tokens".formatted(key, length, tokens));
    }
  }

  /** What is no token is written in bytes, so each of them must be one. */
  private void requireBytes(List<String> tokens) {
    BitSet known = new BitSet(256);
    for (String token : tokens) {
      if (token.length() == 6 && token.startsWith("<0x") && token.charAt(5) == '>') {
        int high = "0123456789ABCDEF".indexOf(token.charAt(3));
        int low = "0123456789ABCDEF".indexOf(token.charAt(4));
        if (high >= 0 && low >= 0) {
          known.set(16 * high + low);
        }
      } else if (token.length() == 1 && token.charAt(0) < 0x80) {
        known.set(token.charAt(0));
      }
    }
    int missing = known.nextClearBit(0);
    if (missing < 256) {
      throw broken(
          "the vocabulary has no token <0x%02X>, so text with this byte could not be written"
              .formatted(missing));
    }
  }

  /** A longer token is looked for byte by byte; where that ends without one, nothing goes on. */
  private void requirePrefixes(List<String> tokens) {
    BitSet first = new BitSet(256);
    BitSet alone = new BitSet(256);
    for (String token : tokens) {
      if (token.indexOf('\ufffd') >= 0) {
        throw broken("a token is no valid UTF-8, which this tokenizer cannot be checked with");
      }
      byte[] bytes = unescaped(token);
      if (bytes.length > 0) {
        first.set(bytes[0] & 0xff);
      }
      if (bytes.length == 1) {
        alone.set(bytes[0] & 0xff);
      }
    }
    first.andNot(alone);
    if (!first.isEmpty()) {
      throw broken(
          "the vocabulary has tokens that begin with the byte %02X but not the byte itself"
              .formatted(first.nextSetBit(0)));
    }
  }

  /** {@code \n}, {@code \r}, {@code \t}, {@code \xHH} and escaped characters, as libllama does. */
  private static byte[] unescaped(String token) {
    byte[] written = token.getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream out = new ByteArrayOutputStream(written.length);
    for (int i = 0; i < written.length; i++) {
      int c = written[i] & 0xff;
      if (c == '\\' && ++i < written.length) {
        c = written[i] & 0xff;
        switch (c) {
          case 't' -> out.write('\t');
          case 'n' -> out.write('\n');
          case 'r' -> out.write('\r');
          case 'x' -> {
            if (i + 2 < written.length) {
              out.write(16 * digit(written[i + 1]) + digit(written[i + 2]));
            }
            i += 2;
          }
          default -> out.write(c);
        }
      } else if (c != '\\') {
        out.write(c);
      }
    }
    return out.toByteArray();
  }

  private static int digit(byte c) {
    return c >= 'a' ? c - 'a' + 10 : c - '0';
  }

  private void checkSquares(List<String> tokens) {
    long squares = 0;
    for (String token : tokens) {
      long bytes = 3L * token.length(); // at most, and more need no exactness
      squares += bytes * bytes;
    }
    if (squares > 9 * SQUARES_MAX) {
      throw broken("its tokens are far longer than those of any known vocabulary");
    }
  }

  /** Strings, each with a zero at its end, behind a table whose length comes first. */
  private void checkReplacements() {
    if (!(metadata.values().get("tokenizer.ggml.precompiled_charsmap")
            instanceof GgufValue.Ints(int _, PackedNumbers table))
        || table.length() < 4) {
      return;
    }
    long start = 4;
    for (int i = 0; i < 4; i++) {
      start += (table.integer(i) & 0xff) << (8 * i);
    }
    int length = 0;
    for (long i = start; i < table.length(); i++) {
      length = table.integer((int) i) == 0 ? 0 : length + 1;
      if (length > REPLACEMENT_BYTES_MAX) {
        throw broken("the table of replacements is broken: one of them does not end");
      }
    }
  }

  private ModelFormatException broken(String problem) {
    return new ModelFormatException("%s: %s".formatted(metadata.file(), problem));
  }
}
