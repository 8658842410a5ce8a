package io.gatun.engine.grammar;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Refuses grammars that no automaton can run: missing rules, left recursion, rules without end. */
final class GrammarCheck {
  private final Map<String, Expr> rules;
  private final Set<String> nullable = new HashSet<>();
  private final Set<String> productive = new HashSet<>();

  private GrammarCheck(Map<String, Expr> rules) {
    this.rules = rules;
  }

  static void require(Map<String, Expr> rules, String root) {
    if (!rules.containsKey(root)) {
      throw new GrammarException("there is no rule named " + root);
    }
    rules.forEach((name, body) -> {
      for (String ref : body.refs()) {
        if (!rules.containsKey(ref)) {
          throw new GrammarException("rule %s names %s, which does not exist".formatted(name, ref));
        }
      }
    });
    GrammarCheck check = new GrammarCheck(rules);
    check.grow(check.nullable, false);
    check.grow(check.productive, true);
    check.requireEnds(root);
    check.requireNoLeftRecursion();
  }

  /** Adds rules until nothing changes. */
  private void grow(Set<String> known, boolean charsCount) {
    boolean changed = true;
    while (changed) {
      changed = false;
      for (Map.Entry<String, Expr> rule : rules.entrySet()) {
        if (!known.contains(rule.getKey()) && holds(rule.getValue(), known, charsCount)) {
          changed |= known.add(rule.getKey());
        }
      }
    }
  }

  /** Whether something can be empty, or (when characters count) can end at all. */
  private static boolean holds(Expr e, Set<String> known, boolean charsCount) {
    return switch (e) {
      case Expr.Chars(CharSet set) -> charsCount && !set.isEmpty();
      case Expr.TokenIs _, Expr.TokenNamed _ -> charsCount;
      case Expr.Seq(List<Expr> parts) -> parts.stream().allMatch(p -> holds(p, known, charsCount));
      case Expr.Alt(List<Expr> options) ->
          options.stream().anyMatch(o -> holds(o, known, charsCount));
      case Expr.Repeat(Expr body, int min, int _) -> min == 0 || holds(body, known, charsCount);
      case Expr.Ref(String rule) -> known.contains(rule);
    };
  }

  private void requireEnds(String root) {
    if (!productive.contains(root)) {
      throw new GrammarException("rule %s can match no text that ends".formatted(root));
    }
  }

  private void requireNoLeftRecursion() {
    Map<String, Set<String>> first = new HashMap<>();
    rules.forEach((name, body) -> {
      Set<String> names = new HashSet<>();
      var _ = leading(body, names);
      first.put(name, names);
    });
    for (String start : rules.keySet()) {
      Set<String> reached = new HashSet<>(first.get(start));
      Set<String> open = reached;
      while (!open.isEmpty()) {
        Set<String> next = new HashSet<>();
        open.forEach(rule -> next.addAll(first.get(rule)));
        next.removeAll(reached);
        reached.addAll(next);
        open = next;
      }
      if (reached.contains(start)) {
        throw new GrammarException(
            "rule %s begins with itself (left recursion); write repetition as (…)*"
                .formatted(start));
      }
    }
  }

  /** Collects the rules that can stand at the beginning; whether the whole can be empty. */
  private boolean leading(Expr e, Set<String> names) {
    return switch (e) {
      case Expr.Chars _, Expr.TokenIs _, Expr.TokenNamed _ -> false;
      case Expr.Seq(List<Expr> parts) -> {
        for (Expr part : parts) {
          if (!leading(part, names)) {
            yield false;
          }
        }
        yield true;
      }
      case Expr.Alt(List<Expr> options) -> {
        boolean empty = false;
        for (Expr option : options) {
          empty |= leading(option, names);
        }
        yield empty;
      }
      case Expr.Repeat(Expr body, int min, int max) -> max == 0 || leading(body, names) || min == 0;
      case Expr.Ref(String rule) -> {
        names.add(rule);
        yield nullable.contains(rule);
      }
    };
  }
}
