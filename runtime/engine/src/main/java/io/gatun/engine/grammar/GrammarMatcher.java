package io.gatun.engine.grammar;

import io.gatun.engine.grammar.States.State;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;

/**
 * One completion on its way through a grammar.
 *
 * <p>Not thread-safe; matchers of one {@link CompiledGrammar} belong to one thread.
 */
public final class GrammarMatcher {
  /** Forced text is looked at in pieces of this size. */
  private static final int FORCED_MAX = 256;

  private final States states;
  private final TokenMasks masks;
  private final TokenTrie trie;
  private State state;

  GrammarMatcher(States states, TokenMasks masks, TokenTrie trie) {
    this.states = states;
    this.masks = masks;
    this.trie = trie;
    this.state = states.start();
  }

  /**
   * The tokens that may come next, one bit for each; tokens that end a completion among them when
   * the text may end. Not to be changed.
   */
  public long[] allowed() {
    return masks.of(state);
  }

  /** Whether one token may come next; tokens that end a completion count as text here. */
  public boolean allows(int token) {
    return !states.next(state, token, trie.text(token)).dead();
  }

  /** Whether the text may end here. */
  public boolean mayEnd() {
    return state.accepting();
  }

  /** Whether the text must end here. */
  public boolean mustEnd() {
    return state.accepting() && state.stacks().length == 0;
  }

  /**
   * Goes on behind a token.
   *
   * @throws IllegalArgumentException when it is not allowed
   */
  public void accept(int token) {
    State next = states.next(state, token, trie.text(token));
    if (next.dead()) {
      throw new IllegalArgumentException(
          "the grammar does not allow token %d here".formatted(token));
    }
    state = next;
  }

  /**
   * Tokens whose text has to come next whatever the model says, for as long as there is no choice;
   * the grammar goes on behind them. A last token that could also be the beginning of a longer one
   * is left out.
   */
  public List<Integer> jump() {
    ByteArrayOutputStream forced = new ByteArrayOutputStream();
    State at = state;
    for (int b = states.forced(at); b >= 0 && forced.size() < FORCED_MAX; b = states.forced(at)) {
      forced.write(b);
      at = states.next(at, b);
    }
    byte[] text = forced.toByteArray();
    List<Integer> tokens = new ArrayList<>();
    int from = 0;
    while (from < text.length) {
      int token = trie.longest(text, from);
      if (token < 0) {
        break;
      }
      from += trie.text(token).length;
      // The model may want to write the end together with what follows.
      if (from == text.length && !(at.accepting() && at.stacks().length == 0)) {
        break;
      }
      tokens.add(token);
      accept(token);
    }
    return tokens;
  }
}
