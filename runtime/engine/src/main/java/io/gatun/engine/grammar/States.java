package io.gatun.engine.grammar;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A grammar's states, made when they are first reached: each is a set of places with the rules that
 * wait behind them. A state's way by a byte is found once, so that text which was seen before costs
 * one look into a table per byte.
 *
 * <p>Not thread-safe.
 */
final class States {
  /** Then everything is forgotten and found again: text without end shall not fill the memory. */
  private static final int KNOWN_MAX = 100_000;

  private final Automaton automaton;
  private final Map<StackKey, Stack> stacks = new HashMap<>();
  private final Map<StateKey, State> states = new HashMap<>();
  private int generation;

  /** A place, and where to go on when its rule has ended; null behind the first rule. */
  static final class Stack {
    private final int node;
    private final @Nullable Stack parent;

    private Stack(int node, @Nullable Stack parent) {
      this.node = node;
      this.parent = parent;
    }

    int node() {
      return node;
    }
  }

  /** Where a text may have led. */
  static final class State {
    private final int generation;
    private final Stack[] stacks;
    private final boolean accepting;
    private final @Nullable State[] next = new @Nullable State[256];
    private long @Nullable [] mask;

    private State(int generation, Stack[] stacks, boolean accepting) {
      this.generation = generation;
      this.stacks = stacks;
      this.accepting = accepting;
    }

    /** Whether the text may end here. */
    boolean accepting() {
      return accepting;
    }

    /** Whether the text is none of the grammar's, nor the beginning of one. */
    boolean dead() {
      return stacks.length == 0 && !accepting;
    }

    Stack[] stacks() {
      return stacks;
    }

    /** What {@link TokenMasks} has found about this state, if it has. */
    long @Nullable [] mask() {
      return mask;
    }

    void mask(long @Nullable [] found) {
      mask = found;
    }
  }

  private record StackKey(int node, @Nullable Stack parent) {}

  private record StateKey(Set<Stack> stacks, boolean accepting) {}

  States(Automaton automaton) {
    this.automaton = automaton;
  }

  Automaton automaton() {
    return automaton;
  }

  /** The state before any text. */
  State start() {
    return from(automaton.root());
  }

  /** The state at a place with nothing behind its rule. */
  State at(int node) {
    return from(node);
  }

  private State from(int node) {
    Closing closing = new Closing();
    closing.close(node, null);
    return closing.state();
  }

  /** Where a byte leads. */
  State next(State state, int unsignedByte) {
    State known = state.next[unsignedByte];
    if (known != null && known.generation == generation) {
      return known;
    }
    Closing closing = new Closing();
    for (Stack stack : state.stacks) {
      if (automaton.node(stack.node) instanceof Automaton.Node.Reads reads) {
        for (int i = 0; i < reads.to().length; i++) {
          if (unsignedByte >= reads.first()[i] && unsignedByte <= reads.last()[i]) {
            closing.close(reads.to()[i], stack.parent);
          }
        }
      }
    }
    State found = closing.state();
    state.next[unsignedByte] = found;
    return found;
  }

  /** Where a whole token leads. */
  State next(State state, int token, byte[] text) {
    State byBytes = state;
    for (int i = 0; i < text.length && !byBytes.dead(); i++) {
      byBytes = next(byBytes, text[i] & 0xff);
    }
    boolean read = text.length > 0 && !byBytes.dead();
    Closing closing = new Closing();
    boolean whole = false;
    for (Stack stack : state.stacks) {
      if (automaton.node(stack.node)
              instanceof Automaton.Node.ReadsToken(int wanted, boolean negated, int to)
          && (token == wanted) != negated) {
        closing.close(to, stack.parent);
        whole = true;
      }
    }
    if (!whole) {
      return read ? byBytes : new State(generation, new Stack[0], false);
    }
    if (read) {
      closing.add(byBytes);
    }
    return closing.state();
  }

  /** The only byte that can come next; −1 when there is a choice, or the text may end. */
  int forced(State state) {
    int only = -1;
    if (state.accepting) {
      return -1;
    }
    for (Stack stack : state.stacks) {
      if (!(automaton.node(stack.node) instanceof Automaton.Node.Reads reads)) {
        return -1;
      }
      for (int i = 0; i < reads.to().length; i++) {
        if (reads.first()[i] != reads.last()[i] || (only >= 0 && only != reads.first()[i])) {
          return -1;
        }
        only = reads.first()[i];
      }
    }
    return only;
  }

  /** Follows everything that reads nothing. */
  private final class Closing {
    private final Set<Stack> reading = new HashSet<>();
    private final Set<Stack> seen = new HashSet<>();
    private boolean accepting;

    void close(int node, @Nullable Stack parent) {
      List<Stack> open = new ArrayList<>();
      open.add(stack(node, parent));
      while (!open.isEmpty()) {
        Stack top = open.removeLast();
        if (!seen.add(top)) {
          continue;
        }
        switch (automaton.node(top.node)) {
          case Automaton.Node.Reads _, Automaton.Node.ReadsToken _ -> reading.add(top);
          case Automaton.Node.Splits(List<Integer> to) ->
              to.forEach(t -> open.add(stack(t, top.parent)));
          case Automaton.Node.Calls(String rule, int back) ->
              open.add(stack(automaton.entry(rule), stack(back, top.parent)));
          case Automaton.Node.Becomes(String rule) ->
              open.add(stack(automaton.entry(rule), top.parent));
          case Automaton.Node.Ends _ -> {
            Stack parentStack = top.parent;
            if (parentStack == null) {
              accepting = true;
            } else {
              open.add(stack(parentStack.node, parentStack.parent));
            }
          }
        }
      }
    }

    void add(State state) {
      reading.addAll(Arrays.asList(state.stacks));
      accepting |= state.accepting;
    }

    State state() {
      if (states.size() + stacks.size() > KNOWN_MAX) {
        stacks.clear();
        states.clear();
        generation++;
      }
      return states.computeIfAbsent(
          new StateKey(reading, accepting),
          key -> new State(generation, key.stacks().toArray(new Stack[0]), key.accepting()));
    }
  }

  private Stack stack(int node, @Nullable Stack parent) {
    return stacks.computeIfAbsent(
        new StackKey(node, parent), key -> new Stack(key.node(), key.parent()));
  }
}
