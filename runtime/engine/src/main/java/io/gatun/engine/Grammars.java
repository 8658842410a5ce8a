package io.gatun.engine;

import io.gatun.engine.grammar.CompiledGrammar;
import io.gatun.engine.grammar.Grammar;
import io.gatun.engine.grammar.GrammarMatcher;
import io.gatun.engine.grammar.TokenTrie;
import io.gatun.model.Vocabulary;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The grammars of an engine's requests, each made ready once for the model's vocabulary.
 *
 * @owner the engine's thread, but for {@link #prepare}
 */
final class Grammars {
  private static final int KEPT_MAX = 16;

  private final Vocabulary vocabulary;
  private final Map<Grammar, CompiledGrammar> compiled = new LinkedHashMap<>(16, 0.75f, true);
  private volatile @Nullable TokenTrie trie;

  Grammars(Vocabulary vocabulary) {
    this.vocabulary = vocabulary;
  }

  /** Reads the vocabulary, which takes a moment once. Any thread may call this. */
  synchronized TokenTrie prepare() {
    TokenTrie known = trie;
    if (known != null) {
      return known;
    }
    List<byte[]> texts = new ArrayList<>();
    List<Integer> ending = new ArrayList<>();
    for (int token = 0; token < vocabulary.size(); token++) {
      boolean ends = vocabulary.endsGeneration(token);
      if (ends) {
        ending.add(token);
      }
      boolean text = !ends && !vocabulary.control(token);
      texts.add(text ? vocabulary.bytes(token) : new byte[0]);
    }
    TokenTrie made = new TokenTrie(texts, ending);
    trie = made;
    return made;
  }

  /** A completion at its beginning. */
  GrammarMatcher start(Grammar grammar) {
    CompiledGrammar ready =
        compiled.computeIfAbsent(
            grammar, g -> new CompiledGrammar(g, prepare(), this::tokenByText));
    if (compiled.size() > KEPT_MAX) {
      compiled.remove(compiled.keySet().iterator().next());
    }
    return ready.start();
  }

  private int tokenByText(String text) {
    int[] tokens = vocabulary.encode(text, false, true);
    return tokens.length == 1 ? tokens[0] : -1;
  }
}
