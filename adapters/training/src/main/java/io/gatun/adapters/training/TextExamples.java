package io.gatun.adapters.training;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.jr.ob.JSON;
import io.gatun.model.ModelFormatException;
import io.gatun.model.Vocabulary;
import io.gatun.model.chat.ChatMessage;
import io.gatun.model.chat.ChatTemplate;
import io.gatun.model.chat.Conversation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads examples from files. Plain text is cut into pieces at {@code <|endoftext|>}; without any it
 * is one piece. A {@code .jsonl} file has one object on each line:
 *
 * <ul>
 *   <li>{@code {"text": …}}: all of it is learned;
 *   <li>{@code {"prompt": …, "completion": …}}: the completion is learned;
 *   <li>{@code {"messages": [{"role": …, "content": …}, …]}}: a chat in the model's own template,
 *       of which the assistant's answers are learned.
 * </ul>
 *
 * Stateless and thread-safe.
 */
public final class TextExamples {
  private static final String END = "<|endoftext|>";

  private final Vocabulary vocabulary;

  public TextExamples(Vocabulary vocabulary) {
    this.vocabulary = vocabulary;
  }

  /**
   * All examples of a file.
   *
   * @throws ModelFormatException when a line is not as above, with its number
   * @throws IllegalArgumentException when there is no text
   */
  public List<Example> read(Path file) throws IOException {
    String content = Files.readString(file);
    List<Example> examples =
        String.valueOf(file.getFileName()).endsWith(".jsonl")
            ? lines(file, content)
            : texts(content);
    if (examples.isEmpty()) {
      throw new IllegalArgumentException(file + ": there is no text to learn from");
    }
    return examples;
  }

  private List<Example> texts(String content) {
    List<Example> examples = new ArrayList<>();
    for (String piece : content.split(Pattern.quote(END), -1)) {
      if (!piece.isBlank()) {
        examples.add(Example.text(closed(vocabulary.encode(piece.strip(), true, false))));
      }
    }
    return examples;
  }

  private List<Example> lines(Path file, String content) {
    List<Example> examples = new ArrayList<>();
    String[] lines = content.lines().toArray(String[]::new);
    for (int i = 0; i < lines.length; i++) {
      if (lines[i].isBlank()) {
        continue;
      }
      try {
        examples.add(line(JSON.std.mapFrom(lines[i])));
      } catch (JacksonException e) {
        throw new ModelFormatException(
            "%s: line %d is no JSON object: %s".formatted(file, i + 1, e.getOriginalMessage()), e);
      } catch (IOException | IllegalArgumentException | ClassCastException e) {
        throw new ModelFormatException("%s: line %d: %s".formatted(file, i + 1, e.getMessage()), e);
      }
    }
    return examples;
  }

  private Example line(Map<String, Object> object) {
    if (object.get("messages") instanceof List<?> messages) {
      return chat(messages);
    }
    if (object.containsKey("completion")) {
      String prompt = text(object, "prompt");
      int[] before = vocabulary.encode(prompt, true, false);
      int[] after = vocabulary.encode(text(object, "completion"), false, false);
      return Example.completion(before, closed(after));
    }
    return Example.text(closed(vocabulary.encode(text(object, "text"), true, false)));
  }

  /** Tokens after each answer's beginning, up to what comes after it, are learned. */
  private Example chat(List<?> messages) {
    ChatTemplate template = ChatTemplate.of(vocabulary);
    List<ChatMessage> turns = new ArrayList<>();
    int[] tokens = {};
    boolean[] learned = {};
    for (Object message : messages) {
      if (!(message instanceof Map<?, ?> fields)) {
        throw new IllegalArgumentException("a message is an object with role and content");
      }
      String role = text(fields, "role");
      boolean answer = role.equals("assistant");
      if (answer) {
        tokens = template.encode(Conversation.of(turns), vocabulary);
        learned = Arrays.copyOf(learned, tokens.length);
      }
      turns.add(ChatMessage.of(role, text(fields, "content")));
      int[] longer = template.encode(Conversation.of(turns).withBeginAnswer(false), vocabulary);
      learned = Arrays.copyOf(learned, longer.length);
      if (answer) {
        int same = Arrays.mismatch(tokens, longer);
        Arrays.fill(
            learned, same < 0 ? longer.length : Math.min(same, longer.length), longer.length, true);
      }
      tokens = longer;
    }
    return new Example(tokens, learned);
  }

  private static String text(Map<?, ?> object, String key) {
    @Nullable Object value = object.get(key);
    if (value instanceof String text) {
      return text;
    }
    throw new IllegalArgumentException("the key \"%s\" should be a text".formatted(key));
  }

  /** With the token that ends a text, so that the model learns to end. */
  private int[] closed(int[] tokens) {
    int[] more = Arrays.copyOf(tokens, tokens.length + 1);
    more[tokens.length] = vocabulary.endToken().orElse(-1);
    return more[tokens.length] < 0 ? tokens : more;
  }
}
