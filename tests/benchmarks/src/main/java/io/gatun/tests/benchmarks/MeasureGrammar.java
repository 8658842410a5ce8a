package io.gatun.tests.benchmarks;

import io.gatun.engine.grammar.CompiledGrammar;
import io.gatun.engine.grammar.Grammar;
import io.gatun.engine.grammar.GrammarMatcher;
import io.gatun.engine.grammar.TokenTrie;
import io.gatun.engine.sample.Logits;
import io.gatun.model.Vocabulary;
import io.gatun.model.gguf.GgufFile;
import io.gatun.tensor.llama.LlamaGrammar;
import io.gatun.tensor.llama.LlamaModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * What a grammar costs per token: {@code MeasureGrammar VOCABULARY.gguf GRAMMAR.gbnf TEXT}. Follows
 * the tokens of a text of the grammar, by turns with libllama's sampler of the same grammar, and
 * prints medians and the slowest token. The first pass finds everything, later ones find it again.
 */
public final class MeasureGrammar {
  private static final int PASSES = 5;

  private MeasureGrammar() {}

  public static void main(String[] args) throws IOException {
    Path file = Path.of(args[0]);
    String gbnf = Files.readString(Path.of(args[1]));
    String text = Files.readString(Path.of(args[2])).strip();
    try (Vocabulary vocabulary = Vocabulary.of(GgufFile.open(file));
        LlamaModel llama = LlamaModel.vocabularyOf(file)) {
      int[] tokens = vocabulary.encode(text, false, false);
      long start = System.nanoTime();
      TokenTrie trie = trie(vocabulary);
      System.out.printf(
          "%d tokens in the vocabulary, %d in the text%n", vocabulary.size(), tokens.length);
      System.out.printf("vocabulary read in %.1f ms%n", millis(System.nanoTime() - start));
      start = System.nanoTime();
      CompiledGrammar grammar = new CompiledGrammar(Grammar.gbnf(gbnf), trie);
      System.out.printf("grammar compiled in %.2f ms%n", millis(System.nanoTime() - start));
      for (int pass = 0; pass < PASSES; pass++) {
        print("gatun, pass " + pass, ours(grammar, tokens, vocabulary.size()));
        print("libllama, pass " + pass, theirs(llama, gbnf, tokens));
      }
      compare(grammar, llama, gbnf, tokens, vocabulary);
    }
  }

  private static TokenTrie trie(Vocabulary vocabulary) {
    List<byte[]> texts = new ArrayList<>();
    List<Integer> ending = new ArrayList<>();
    for (int token = 0; token < vocabulary.size(); token++) {
      boolean ends = vocabulary.endsGeneration(token);
      texts.add(ends || vocabulary.control(token) ? new byte[0] : vocabulary.bytes(token));
      if (ends) {
        ending.add(token);
      }
    }
    return new TokenTrie(texts, ending);
  }

  /** Nanoseconds per token: the mask, and dropping what it forbids from a row of logits. */
  private static List<Long> ours(CompiledGrammar grammar, int[] tokens, int vocabulary) {
    List<Long> nanos = new ArrayList<>();
    GrammarMatcher matcher = grammar.start();
    float[] row = new float[vocabulary];
    try (Logits logits = new Logits()) {
      for (int token : tokens) {
        long start = System.nanoTime();
        logits.reset(row, vocabulary).keepAllowed(matcher.allowed());
        matcher.accept(token);
        nanos.add(System.nanoTime() - start);
      }
    }
    return nanos;
  }

  private static List<Long> theirs(LlamaModel llama, String gbnf, int[] tokens) {
    List<Long> nanos = new ArrayList<>();
    try (LlamaGrammar grammar = new LlamaGrammar(llama, gbnf)) {
      for (int token : tokens) {
        grammar.fill();
        long start = System.nanoTime();
        grammar.apply();
        grammar.accept(token);
        nanos.add(System.nanoTime() - start);
      }
    }
    return nanos;
  }

  /** Both must allow the same tokens. */
  private static void compare(
      CompiledGrammar grammar, LlamaModel llama, String gbnf, int[] tokens, Vocabulary vocabulary) {
    int different = 0;
    GrammarMatcher matcher = grammar.start();
    try (LlamaGrammar other = new LlamaGrammar(llama, gbnf)) {
      for (int token : tokens) {
        other.fill();
        other.apply();
        long[] mask = matcher.allowed();
        for (int t = 0; t < vocabulary.size(); t++) {
          boolean ours = (mask[t / Long.SIZE] & (1L << t)) != 0;
          different += ours != other.allows(t) ? 1 : 0;
        }
        matcher.accept(token);
        other.accept(token);
      }
    }
    System.out.printf(
        "masks differ in %d of %d places%n", different, (long) tokens.length * vocabulary.size());
  }

  private static void print(String name, List<Long> nanos) {
    List<Long> sorted = new ArrayList<>(nanos);
    Collections.sort(sorted);
    System.out.printf(
        "%-18s median %8.1f µs, mean %8.1f µs, slowest %8.1f µs%n",
        name,
        sorted.get(sorted.size() / 2) / 1e3,
        nanos.stream().mapToLong(n -> n).average().orElse(0) / 1e3,
        sorted.getLast() / 1e3);
  }

  private static double millis(long nanos) {
    return nanos / 1e6;
  }
}
