package io.gatun.engine.grammar;

import java.nio.charset.StandardCharsets;
import java.util.function.ToIntFunction;

/**
 * A grammar made ready for a vocabulary; what its completions find out is kept for later ones.
 *
 * <p>Not thread-safe: it and its matchers belong to one thread.
 */
public final class CompiledGrammar {
  private final States states;
  private final TokenMasks masks;
  private final TokenTrie trie;

  /** {@link #CompiledGrammar(Grammar, TokenTrie, ToIntFunction)} whose tokens' names are texts. */
  public CompiledGrammar(Grammar grammar, TokenTrie trie) {
    this(grammar, trie, text -> trie.tokenOf(text.getBytes(StandardCharsets.UTF_8)));
  }

  /**
   * Compiles a grammar.
   *
   * @param tokenByText the token that a grammar calls by its text, −1 when there is none
   * @throws GrammarException when the grammar names tokens that the vocabulary has not, or is too
   *     large
   */
  public CompiledGrammar(Grammar grammar, TokenTrie trie, ToIntFunction<String> tokenByText) {
    this.trie = trie;
    this.states = new States(new Automaton(grammar, tokenByText));
    this.masks = new TokenMasks(states, trie);
  }

  /** A completion at its beginning. */
  public GrammarMatcher start() {
    return new GrammarMatcher(states, masks, trie);
  }

  /** Whether a whole text is one of the grammar's. */
  public boolean matches(byte[] text) {
    States.State state = states.start();
    for (byte b : text) {
      state = states.next(state, b & 0xff);
      if (state.dead()) {
        return false;
      }
    }
    return state.accepting();
  }
}
