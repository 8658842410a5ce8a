package io.gatun.model.template;

import io.gatun.model.template.Expr.CallArguments;
import io.gatun.model.template.Token.Kind;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Expressions by recursive descent, from loosest to tightest. */
final class ExpressionParser {
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

  private final TokenStream tokens;

  ExpressionParser(TokenStream tokens) {
    this.tokens = tokens;
  }

  /** One expression, or several with commas, which are a tuple. */
  Expr tuple(boolean choices) {
    Expr first = choices ? expression() : either();
    if (!tokens.isOperator(",")) {
      return first;
    }
    List<Expr> items = new ArrayList<>(List.of(first));
    while (tokens.takeOperator(",")) {
      if (tokens.endsTuple()) {
        break;
      }
      items.add(choices ? expression() : either());
    }
    return new Expr.Items(items, true);
  }

  Expr expression() {
    tokens.enter();
    Expr value = either();
    while (tokens.takeName("if")) {
      Expr test = either();
      value = new Expr.Choice(test, value, tokens.takeName("else") ? expression() : null);
    }
    tokens.leave();
    return value;
  }

  Expr either() {
    Expr left = both();
    while (tokens.takeName("or")) {
      left = new Expr.Either(left, both());
    }
    return left;
  }

  private Expr both() {
    Expr left = not();
    while (tokens.takeName("and")) {
      left = new Expr.Both(left, not());
    }
    return left;
  }

  private Expr not() {
    if (!tokens.takeName("not")) {
      return comparison();
    }
    tokens.enter();
    Expr operand = not();
    tokens.leave();
    return new Expr.Not(operand);
  }

  private Expr comparison() {
    Expr first = sum();
    List<String> operators = new ArrayList<>();
    List<Expr> others = new ArrayList<>();
    while (true) {
      if (tokens.current().kind() == Kind.OPERATOR
          && COMPARISONS.contains(tokens.current().text())) {
        operators.add(tokens.next().text());
      } else if (tokens.takeName("in")) {
        operators.add("in");
      } else if (tokens.current().name("not") && tokens.peek().name("in")) {
        tokens.next();
        tokens.next();
        operators.add("not in");
      } else {
        return operators.isEmpty() ? first : new Expr.Comparison(first, operators, others);
      }
      others.add(sum());
    }
  }

  private Expr sum() {
    Expr left = joined();
    while (tokens.isOperator("+") || tokens.isOperator("-")) {
      left = new Expr.Arithmetic(tokens.next().text(), left, joined());
    }
    return left;
  }

  private Expr joined() {
    List<Expr> parts = new ArrayList<>(List.of(product()));
    while (tokens.takeOperator("~")) {
      parts.add(product());
    }
    return parts.size() == 1 ? parts.getFirst() : new Expr.Joined(parts);
  }

  private Expr product() {
    Expr left = power();
    while (tokens.isOperator("*")
        || tokens.isOperator("/")
        || tokens.isOperator("//")
        || tokens.isOperator("%")) {
      left = new Expr.Arithmetic(tokens.next().text(), left, power());
    }
    return left;
  }

  private Expr power() {
    Expr left = unary(true);
    while (tokens.takeOperator("**")) {
      left = new Expr.Arithmetic("**", left, unary(true));
    }
    return left;
  }

  /** A sign binds tighter than filters: {@code -3|abs} is 3. */
  private Expr unary(boolean filters) {
    Expr value;
    if (tokens.isOperator("-") || tokens.isOperator("+")) {
      boolean minus = tokens.next().text().equals("-");
      tokens.enter();
      value = new Expr.Sign(minus, unary(false));
      tokens.leave();
    } else {
      value = primary();
    }
    value = postfix(value);
    return filters ? filters(value) : value;
  }

  Expr primary() {
    Token token = tokens.current();
    return switch (token.kind()) {
      case NAME -> name(tokens.next().text());
      case STRING -> {
        StringBuilder text = new StringBuilder();
        while (tokens.current().kind() == Kind.STRING) {
          text.append(tokens.next().text());
        }
        yield new Expr.Constant(new Value.Str(text.toString()));
      }
      case INTEGER -> new Expr.Constant(integer(tokens.next().text()));
      case FLOAT -> new Expr.Constant(new Value.Real(Double.parseDouble(tokens.next().text())));
      default ->
          switch (token.operator("(")
              ? "("
              : token.operator("[") ? "[" : token.operator("{") ? "{" : "") {
            case "(" -> parentheses();
            case "[" -> list();
            case "{" -> dictionary();
            default -> throw new Fault("expected an expression but got " + token.shown());
          };
    };
  }

  private static Expr name(String name) {
    return switch (name) {
      case "true", "True" -> new Expr.Constant(Value.Bool.TRUE);
      case "false", "False" -> new Expr.Constant(Value.Bool.FALSE);
      case "none", "None" -> new Expr.Constant(Value.None.NONE);
      default -> new Expr.Name(name);
    };
  }

  private static Value integer(String text) {
    int base =
        text.length() < 2 || text.charAt(0) != '0'
            ? 10
            : switch (text.charAt(1)) {
              case 'x', 'X' -> 16;
              case 'o', 'O' -> 8;
              case 'b', 'B' -> 2;
              default -> 10;
            };
    return new Value.Int(new BigInteger(base == 10 ? text : text.substring(2), base));
  }

  private Expr parentheses() {
    tokens.next();
    Expr value = tokens.isOperator(")") ? new Expr.Items(List.of(), true) : tuple(true);
    tokens.expectOperator(")");
    return value;
  }

  private Expr list() {
    tokens.next();
    List<Expr> items = new ArrayList<>();
    while (!tokens.isOperator("]")) {
      items.add(expression());
      if (!tokens.isOperator("]")) {
        tokens.expectOperator(",");
      }
    }
    tokens.next();
    return new Expr.Items(items, false);
  }

  private Expr dictionary() {
    tokens.next();
    List<Expr> keys = new ArrayList<>();
    List<Expr> values = new ArrayList<>();
    while (!tokens.isOperator("}")) {
      keys.add(expression());
      tokens.expectOperator(":");
      values.add(expression());
      if (!tokens.isOperator("}")) {
        tokens.expectOperator(",");
      }
    }
    tokens.next();
    return new Expr.Pairs(keys, values);
  }

  private Expr postfix(Expr start) {
    Expr value = start;
    while (true) {
      if (tokens.takeOperator(".")) {
        value = attribute(value);
      } else if (tokens.takeOperator("[")) {
        value = new Expr.Item(value, subscript());
      } else if (tokens.isOperator("(")) {
        value = new Expr.Call(value, arguments());
      } else {
        return value;
      }
    }
  }

  private Expr attribute(Expr of) {
    Token token = tokens.next();
    return switch (token.kind()) {
      case NAME -> new Expr.Attribute(of, token.text());
      case INTEGER -> new Expr.Item(of, new Expr.Constant(integer(token.text())));
      default -> throw new Fault("expected a name or number behind '.' but got " + token.shown());
    };
  }

  private Expr subscript() {
    List<Expr> items = new ArrayList<>();
    boolean comma = false;
    while (!tokens.isOperator("]")) {
      items.add(slice());
      if (!tokens.isOperator("]")) {
        tokens.expectOperator(",");
        comma = true;
      }
    }
    tokens.next();
    return items.size() == 1 && !comma ? items.getFirst() : new Expr.Items(items, true);
  }

  private Expr slice() {
    Expr start = null;
    if (!tokens.isOperator(":")) {
      start = expression();
      if (!tokens.isOperator(":")) {
        return start;
      }
    }
    tokens.next();
    Expr stop = slicePart();
    Expr step = tokens.takeOperator(":") ? slicePart() : null;
    return new Expr.Slice(start, stop, step);
  }

  private @Nullable Expr slicePart() {
    return tokens.isOperator(":") || tokens.isOperator("]") || tokens.isOperator(",")
        ? null
        : expression();
  }

  /** Filters, tests, and calls of what they give. */
  Expr filters(Expr start) {
    Expr value = start;
    while (true) {
      if (tokens.takeOperator("|")) {
        value = filter(value);
      } else if (tokens.takeName("is")) {
        value = test(value);
      } else if (tokens.isOperator("(")) {
        value = new Expr.Call(value, arguments());
      } else {
        return value;
      }
    }
  }

  Expr filter(Expr input) {
    String name = dotted();
    return new Expr.Filter(input, name, tokens.isOperator("(") ? arguments() : CallArguments.NONE);
  }

  private Expr test(Expr input) {
    boolean negated = tokens.takeName("not");
    String name = dotted();
    CallArguments arguments = CallArguments.NONE;
    if (tokens.isOperator("(")) {
      arguments = arguments();
    } else if (tokens.beginsArgumentOfTest()) {
      arguments = CallArguments.of(List.of(postfix(primary())));
    }
    Expr test = new Expr.Test(input, name, arguments);
    return negated ? new Expr.Not(test) : test;
  }

  private String dotted() {
    StringBuilder name = new StringBuilder(tokens.expectName());
    while (tokens.takeOperator(".")) {
      name.append('.').append(tokens.expectName());
    }
    return name.toString();
  }

  CallArguments arguments() {
    tokens.expectOperator("(");
    List<Expr> positional = new ArrayList<>();
    List<String> names = new ArrayList<>();
    List<Expr> named = new ArrayList<>();
    Expr rest = null;
    Expr namedRest = null;
    while (!tokens.isOperator(")")) {
      if (tokens.takeOperator("*")) {
        rest = expression();
      } else if (tokens.takeOperator("**")) {
        namedRest = expression();
      } else if (tokens.current().kind() == Kind.NAME && tokens.peek().operator("=")) {
        names.add(tokens.next().text());
        tokens.next();
        named.add(expression());
      } else if (names.isEmpty() && rest == null && namedRest == null) {
        positional.add(expression());
      } else {
        throw new Fault("a positional argument behind named ones");
      }
      if (!tokens.isOperator(")")) {
        tokens.expectOperator(",");
      }
    }
    tokens.next();
    return new CallArguments(positional, names, named, rest, namedRest);
  }
}
