package io.gatun.engine.grammar;

import io.gatun.engine.grammar.States.Stack;
import io.gatun.engine.grammar.States.State;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which tokens a grammar allows in a state, as bits. What a place allows hardly depends on the
 * rules that wait behind it: only tokens in whose middle its rule ends do. So the others are found
 * once per place, and those few again for each state.
 *
 * <p>Not thread-safe.
 *
 * @source arXiv 2411.15100 (XGrammar) for the division
 */
final class TokenMasks {
  /** Masks of states that are kept; each has a bit per token. */
  private static final int KEPT_MAX = 512;

  private final States states;
  private final TokenTrie trie;
  private final int words;
  private final Map<Integer, Local> locals = new HashMap<>();
  private final List<State> masked = new ArrayList<>();
  private State[] path = new State[64];
  private boolean[] ended = new boolean[64];

  /**
   * What one place allows.
   *
   * @param allowed tokens that its rule, or an end of it at the token's end, allows
   * @param open tokens in whose middle its rule ends, and that are not allowed anyway
   */
  private record Local(long[] allowed, int[] open) {}

  TokenMasks(States states, TokenTrie trie) {
    this.states = states;
    this.trie = trie;
    this.words = Math.ceilDiv(trie.tokens(), Long.SIZE);
  }

  /** The tokens that a state allows, one bit each; owned by this. */
  long[] of(State state) {
    long[] known = state.mask();
    if (known != null) {
      return known;
    }
    if (masked.size() >= KEPT_MAX) {
      masked.forEach(s -> s.mask(null));
      masked.clear();
    }
    long[] mask = compute(state);
    state.mask(mask);
    masked.add(state);
    return mask;
  }

  private long[] compute(State state) {
    long[] mask = new long[words];
    for (Stack stack : state.stacks()) {
      if (states.automaton().node(stack.node())
          instanceof Automaton.Node.ReadsToken(int token, boolean negated, int _)) {
        readsToken(mask, token, negated);
      }
    }
    for (Stack stack : state.stacks()) {
      if (states.automaton().node(stack.node()) instanceof Automaton.Node.Reads) {
        Local local = local(stack.node());
        for (int i = 0; i < words; i++) {
          mask[i] |= local.allowed()[i];
        }
        for (int token : local.open()) {
          if (!has(mask, token) && reads(state, trie.text(token))) {
            set(mask, token);
          }
        }
      }
    }
    if (state.accepting()) {
      trie.ending().forEach(token -> set(mask, token));
    } else {
      trie.ending().forEach(token -> mask[token / Long.SIZE] &= ~(1L << token));
    }
    return mask;
  }

  private void readsToken(long[] mask, int token, boolean negated) {
    for (int t = 0; t < trie.tokens(); t++) {
      if ((t == token) != negated) {
        set(mask, t);
      }
    }
  }

  private boolean reads(State from, byte[] text) {
    State state = from;
    for (byte b : text) {
      state = states.next(state, b & 0xff);
      if (state.dead()) {
        return false;
      }
    }
    return true;
  }

  private Local local(int node) {
    Local known = locals.get(node);
    if (known != null) {
      return known;
    }
    if (locals.size() >= KEPT_MAX) {
      locals.clear();
    }
    Local found = walk(states.at(node));
    locals.put(node, found);
    return found;
  }

  /** Reads all tokens from a place with nothing behind its rule. */
  private Local walk(State start) {
    long[] allowed = new long[words];
    List<Integer> open = new ArrayList<>();
    path[0] = start;
    ended[0] = false;
    for (int node = 0; node < trie.nodes(); ) {
      int depth = trie.depth(node);
      grow(depth);
      State state = states.next(path[depth - 1], trie.unsignedByte(node));
      ended[depth] = ended[depth - 1] || (depth > 1 && path[depth - 1].accepting());
      int end = state.dead() ? trie.end(node) : node + 1;
      if (!state.dead() || ended[depth]) {
        for (int i = trie.firstToken(node); i < trie.firstToken(end); i++) {
          if (state.dead()) {
            open.add(trie.token(i));
          } else {
            set(allowed, trie.token(i));
          }
        }
      }
      path[depth] = state;
      node = end;
    }
    return new Local(allowed, open.stream().mapToInt(i -> i).toArray());
  }

  private void grow(int depth) {
    if (depth >= path.length) {
      path = Arrays.copyOf(path, 2 * depth);
      ended = Arrays.copyOf(ended, 2 * depth);
    }
  }

  private static boolean has(long[] mask, int token) {
    return (mask[token / Long.SIZE] & (1L << token)) != 0;
  }

  private static void set(long[] mask, int token) {
    mask[token / Long.SIZE] |= 1L << token;
  }
}
