package io.gatun.engine.grammar;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;

/**
 * A grammar as nodes that read bytes: one network per rule, which calls those of others. Immutable
 * once made.
 */
final class Automaton {
  /** A hostile grammar could multiply its repetitions without end. */
  private static final int NODES_MAX = 500_000;

  private final List<Node> nodes = new ArrayList<>();
  private final Map<String, Expr> rules;
  private final Map<String, Integer> entries = new HashMap<>();
  private final Map<Step, Integer> steps = new HashMap<>();
  private final ToIntFunction<String> tokenByText;
  private final int root;

  /** What one place in a rule does. */
  sealed interface Node {
    /** Reads one byte: {@code first[i]..last[i]} leads to {@code to[i]}. */
    record Reads(int[] first, int[] last, int[] to) implements Node {}

    /** Reads one token as a whole. */
    record ReadsToken(int token, boolean negated, int to) implements Node {}

    /** Goes on at each of several places. */
    record Splits(List<Integer> to) implements Node {}

    /** Runs another rule, then goes on. */
    record Calls(String rule, int back) implements Node {}

    /** Runs another rule in this one's place. */
    record Becomes(String rule) implements Node {}

    /** The end of a rule. */
    record Ends() implements Node {}
  }

  /** A part of a character that leads somewhere. */
  private record Step(List<Utf8Ranges.Bytes> rest, int to) {}

  /**
   * @param tokenByText the only token of a text, −1 when it has none
   */
  Automaton(Grammar grammar, ToIntFunction<String> tokenByText) {
    this.rules = grammar.rules();
    this.tokenByText = tokenByText;
    for (Map.Entry<String, Expr> rule : rules.entrySet()) {
      entries.put(rule.getKey(), compile(rule.getValue(), add(new Node.Ends())));
    }
    steps.clear();
    this.root = entry(grammar.root());
  }

  Node node(int i) {
    return nodes.get(i);
  }

  int entry(String rule) {
    return entries.getOrDefault(rule, -1);
  }

  int root() {
    return root;
  }

  private int add(Node node) {
    if (nodes.size() >= NODES_MAX) {
      throw new GrammarException(
          "the grammar is too large: its repetitions multiply to more than %d places"
              .formatted(NODES_MAX));
    }
    nodes.add(node);
    return nodes.size() - 1;
  }

  /** The place from which an expression is read before going on at {@code next}. */
  private int compile(Expr e, int next) {
    return switch (e) {
      case Expr.Chars(CharSet set) -> chars(set, next);
      case Expr.Seq(List<Expr> parts) -> {
        int to = next;
        for (Expr part : parts.reversed()) {
          to = compile(part, to);
        }
        yield to;
      }
      case Expr.Alt(List<Expr> options) ->
          add(new Node.Splits(options.stream().map(o -> compile(o, next)).toList()));
      case Expr.Repeat r -> repeat(r, next);
      case Expr.Ref(String rule) ->
          nodes.get(next) instanceof Node.Ends
              ? add(new Node.Becomes(rule))
              : add(new Node.Calls(rule, next));
      case Expr.TokenIs(int token, boolean negated) ->
          add(new Node.ReadsToken(token, negated, next));
      case Expr.TokenNamed(String text, boolean negated) -> {
        int token = tokenByText.applyAsInt(text);
        if (token < 0) {
          throw new GrammarException("%s is not a single token of this model".formatted(text));
        }
        yield add(new Node.ReadsToken(token, negated, next));
      }
    };
  }

  private int repeat(Expr.Repeat r, int next) {
    int to = next;
    if (r.max() == Expr.Repeat.UNBOUNDED) {
      List<Integer> targets = new ArrayList<>();
      int loop = add(new Node.Splits(List.of()));
      targets.add(compile(r.body(), loop));
      targets.add(next);
      nodes.set(loop, new Node.Splits(List.copyOf(targets)));
      to = loop;
    } else {
      for (int i = r.min(); i < r.max(); i++) {
        to = add(new Node.Splits(List.of(compile(r.body(), to), next)));
      }
    }
    for (int i = 0; i < r.min(); i++) {
      to = compile(r.body(), to);
    }
    return to;
  }

  private int chars(CharSet set, int next) {
    List<Utf8Ranges.Bytes> first = new ArrayList<>();
    List<Integer> targets = new ArrayList<>();
    for (List<Utf8Ranges.Bytes> sequence : Utf8Ranges.of(set)) {
      first.add(sequence.getFirst());
      targets.add(rest(sequence.subList(1, sequence.size()), next));
    }
    return reads(first, targets);
  }

  /** What is left of a character; the same places are shared by all that end alike. */
  private int rest(List<Utf8Ranges.Bytes> sequence, int next) {
    if (sequence.isEmpty()) {
      return next;
    }
    Step step = new Step(List.copyOf(sequence), next);
    Integer known = steps.get(step);
    if (known != null) {
      return known;
    }
    int to = rest(sequence.subList(1, sequence.size()), next);
    int made = reads(List.of(sequence.getFirst()), List.of(to));
    steps.put(step, made);
    return made;
  }

  private int reads(List<Utf8Ranges.Bytes> ranges, List<Integer> targets) {
    return add(
        new Node.Reads(
            ranges.stream().mapToInt(Utf8Ranges.Bytes::first).toArray(),
            ranges.stream().mapToInt(Utf8Ranges.Bytes::last).toArray(),
            targets.stream().mapToInt(i -> i).toArray()));
  }
}
