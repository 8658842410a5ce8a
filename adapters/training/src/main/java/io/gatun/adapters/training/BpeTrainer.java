package io.gatun.adapters.training;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Learns a byte-level BPE vocabulary from text: bytes to begin with, then again and again the pair
 * of neighbours that is most frequent becomes a token. Words are cut as GPT-2 does, so that
 * llama.cpp's tokenizer of that name gives the same tokens.
 *
 * <p>The same text gives the same vocabulary: of equally frequent pairs the first in the order of
 * text wins.
 *
 * @source arXiv 1508.07909; Radford et al., Language Models are Unsupervised Multitask Learners,
 *     2019
 */
public final class BpeTrainer {
  private static final Pattern WORDS =
      Pattern.compile(
          "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
          Pattern.UNICODE_CHARACTER_CLASS);

  private BpeTrainer() {}

  /**
   * A vocabulary.
   *
   * @param tokens in the letters that GPT-2 shows bytes as; the index is the id
   * @param merges pairs with a space between, the most important first
   */
  public record Bpe(List<String> tokens, List<String> merges) {}

  private record Pair(String left, String right) {}

  /** A word as tokens, and how often it occurs. */
  private static final class Word {
    private List<String> tokens;
    private final long count;

    private Word(List<String> tokens, long count) {
      this.tokens = tokens;
      this.count = count;
    }
  }

  /**
   * Learns from a text.
   *
   * @param size tokens in all, at least the 256 bytes
   * @throws IllegalArgumentException when the text has not so many different pairs
   */
  public static Bpe learn(String text, int size) {
    if (size < 256) {
      throw new IllegalArgumentException("a vocabulary has at least 256 tokens, not " + size);
    }
    List<String> tokens = new ArrayList<>(ByteLetters.all());
    List<String> merges = new ArrayList<>();
    List<Word> words = words(text);
    Map<Pair, Long> counts = new HashMap<>();
    Map<Pair, List<Word>> places = new HashMap<>();
    words.forEach(word -> count(word, 1, counts, places));
    while (tokens.size() < size) {
      Map.Entry<Pair, Long> best =
          counts.entrySet().stream()
              .max(
                  Map.Entry.<Pair, Long>comparingByValue()
                      .thenComparing(
                          Map.Entry.comparingByKey(
                              Comparator.comparing(Pair::left)
                                  .thenComparing(Pair::right)
                                  .reversed())))
              .filter(entry -> entry.getValue() > 1)
              .orElseThrow(() ->
                  new IllegalArgumentException(
                      "the text has too few different words for %d tokens: it gives %d"
                          .formatted(size, tokens.size())));
      Pair pair = best.getKey();
      merges.add(pair.left() + " " + pair.right());
      tokens.add(pair.left() + pair.right());
      for (Word word : places.getOrDefault(pair, List.of())) {
        merge(word, pair, counts, places);
      }
      counts.remove(pair);
      places.remove(pair);
    }
    return new Bpe(tokens, merges);
  }

  private static List<Word> words(String text) {
    Map<String, Long> counts = new LinkedHashMap<>();
    Matcher matcher = WORDS.matcher(text);
    while (matcher.find()) {
      counts.merge(matcher.group(), 1L, Long::sum);
    }
    List<Word> words = new ArrayList<>();
    new TreeMap<>(counts)
        .forEach((word, count) -> {
          List<String> letters = new ArrayList<>();
          for (byte b : word.getBytes(StandardCharsets.UTF_8)) {
            letters.add(ByteLetters.of(b));
          }
          words.add(new Word(letters, count));
        });
    return words;
  }

  private static void count(
      Word word, int sign, Map<Pair, Long> counts, Map<Pair, List<Word>> places) {
    for (int i = 0; i + 1 < word.tokens.size(); i++) {
      Pair pair = new Pair(word.tokens.get(i), word.tokens.get(i + 1));
      long left = counts.merge(pair, sign * word.count, Long::sum);
      if (left == 0) {
        counts.remove(pair);
      }
      if (sign > 0) {
        places.computeIfAbsent(pair, _ -> new ArrayList<>()).add(word);
      }
    }
  }

  private static void merge(
      Word word, Pair pair, Map<Pair, Long> counts, Map<Pair, List<Word>> places) {
    List<String> merged = new ArrayList<>();
    List<String> before = word.tokens;
    for (int i = 0; i < before.size(); i++) {
      boolean here =
          i + 1 < before.size()
              && before.get(i).equals(pair.left())
              && before.get(i + 1).equals(pair.right());
      merged.add(here ? pair.left() + pair.right() : before.get(i));
      i += here ? 1 : 0;
    }
    if (merged.size() < before.size()) {
      count(word, -1, counts, places);
      word.tokens = merged;
      count(word, 1, counts, places);
    }
  }
}
