package io.gatun.model.template;

import io.gatun.model.template.Statement.Parameters;
import io.gatun.model.template.Statement.Target;
import io.gatun.model.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Statements: text, outputs and block tags with what they enclose. */
final class StatementParser {
  private static final Set<String> NOTHING = Set.of();

  private final TokenStream tokens;
  private final ExpressionParser expressions;
  private int loops;

  private StatementParser(TokenStream tokens) {
    this.tokens = tokens;
    this.expressions = new ExpressionParser(tokens);
  }

  static List<Statement> parse(String source) {
    TokenStream tokens = new TokenStream(Lexer.tokens(source));
    try {
      return new StatementParser(tokens).body(NOTHING);
    } catch (Fault fault) {
      throw new TemplateException(tokens.current().line(), fault);
    }
  }

  /** What comes before one of the words in a block tag; the word is the current token then. */
  private List<Statement> body(Set<String> ends) {
    tokens.enter();
    List<Statement> body = new ArrayList<>();
    while (true) {
      Token token = tokens.next();
      switch (token.kind()) {
        case TEXT -> body.add(new Statement.Text(token.line(), token.text()));
        case OUTPUT_BEGIN -> {
          body.add(new Statement.Output(token.line(), expressions.tuple(true)));
          tokens.expect(Kind.OUTPUT_END);
        }
        case BLOCK_BEGIN -> {
          if (ends.contains(tokens.current().text())) {
            tokens.leave();
            return body;
          }
          body.add(block(token.line()));
        }
        default -> {
          if (!ends.isEmpty()) {
            throw new Fault("the template ends before one of " + ends);
          }
          tokens.leave();
          return body;
        }
      }
    }
  }

  /** The body of a block without other branches; its end tag is taken. */
  private List<Statement> bodyUntil(String end) {
    endTag();
    List<Statement> body = body(Set.of(end));
    tokens.next();
    endTag();
    return body;
  }

  /** The same where {@code break} and {@code continue} must not leave it. */
  private List<Statement> closedBody(String end) {
    int outside = loops;
    loops = 0;
    List<Statement> body = bodyUntil(end);
    loops = outside;
    return body;
  }

  private void endTag() {
    tokens.expect(Kind.BLOCK_END);
  }

  private Statement block(int line) {
    String word = tokens.expectName();
    return switch (word) {
      case "if" -> ifBlock(line);
      case "for" -> forBlock(line);
      case "set" -> set(line);
      case "macro" -> {
        String name = tokens.expectName();
        Parameters parameters = parameters();
        yield new Statement.Macro(line, name, parameters, closedBody("endmacro"));
      }
      case "call" -> call(line);
      case "filter" -> {
        Expr filters = expressions.filters(expressions.filter(captured()));
        yield new Statement.FilterBlock(line, filters, bodyUntil("endfilter"));
      }
      case "with" -> with(line);
      case "generation" -> new Statement.Generation(line, closedBody("endgeneration"));
      case "break" -> {
        inLoop(word);
        yield new Statement.Break(line);
      }
      case "continue" -> {
        inLoop(word);
        yield new Statement.Continue(line);
      }
      case "include", "import", "from", "extends", "block" ->
          throw new Fault("'" + word + "' needs other templates, and there are none");
      default -> throw new Fault("'" + word + "' is no statement that may stand here");
    };
  }

  private void inLoop(String word) {
    if (loops == 0) {
      throw new Fault("'" + word + "' outside of a loop");
    }
    endTag();
  }

  private static Expr captured() {
    return new Expr.Name(Statement.CAPTURED);
  }

  private Statement ifBlock(int line) {
    Expr test = expressions.tuple(false);
    endTag();
    List<Statement> then = body(Set.of("elif", "else", "endif"));
    int next = tokens.current().line();
    List<Statement> otherwise =
        switch (tokens.next().text()) {
          case "elif" -> {
            tokens.enter();
            List<Statement> chain = List.of(ifBlock(next));
            tokens.leave();
            yield chain;
          }
          case "else" -> bodyUntil("endif");
          default -> {
            endTag();
            yield List.of();
          }
        };
    return new Statement.If(line, test, then, otherwise);
  }

  private Statement forBlock(int line) {
    Target target = target();
    if (!tokens.takeName("in")) {
      throw new Fault("expected 'in' but got " + tokens.current().shown());
    }
    Expr items = expressions.tuple(false);
    Expr filter = tokens.takeName("if") ? expressions.expression() : null;
    boolean recursive = tokens.takeName("recursive");
    endTag();
    loops++;
    List<Statement> body = body(Set.of("else", "endfor"));
    loops--;
    List<Statement> otherwise = List.of();
    if (tokens.next().text().equals("else")) {
      otherwise = bodyUntil("endfor");
    } else {
      endTag();
    }
    return new Statement.For(line, target, items, filter, recursive, body, otherwise);
  }

  private Statement set(int line) {
    Target target = target();
    if (tokens.takeOperator("=")) {
      Expr value = expressions.tuple(true);
      endTag();
      return new Statement.Set(line, target, value);
    }
    Expr filters = expressions.filters(captured());
    return new Statement.SetBlock(line, target, filters, bodyUntil("endset"));
  }

  private Statement call(int line) {
    Parameters parameters =
        tokens.isOperator("(") ? parameters() : new Parameters(List.of(), List.of());
    if (!(expressions.expression() instanceof Expr.Call call)) {
      throw new Fault("'call' needs the call of a macro");
    }
    return new Statement.CallBlock(line, call, parameters, closedBody("endcall"));
  }

  private Statement with(int line) {
    List<Target> targets = new ArrayList<>();
    List<Expr> values = new ArrayList<>();
    while (tokens.current().kind() != Kind.BLOCK_END) {
      if (!targets.isEmpty()) {
        tokens.expectOperator(",");
      }
      targets.add(oneTarget());
      tokens.expectOperator("=");
      values.add(expressions.expression());
    }
    return new Statement.With(line, targets, values, bodyUntil("endwith"));
  }

  private Target target() {
    Target first = oneTarget();
    if (!tokens.isOperator(",")) {
      return first;
    }
    List<Target> targets = new ArrayList<>(List.of(first));
    while (tokens.takeOperator(",") && !tokens.endsTuple()) {
      targets.add(oneTarget());
    }
    return new Target.Names(targets);
  }

  private Target oneTarget() {
    if (tokens.takeOperator("(")) {
      tokens.enter();
      Target inner = target();
      tokens.leave();
      tokens.expectOperator(")");
      return inner;
    }
    String name = tokens.expectName();
    return tokens.takeOperator(".")
        ? new Target.Attribute(name, tokens.expectName())
        : new Target.Name(name);
  }

  private Parameters parameters() {
    tokens.expectOperator("(");
    List<String> names = new ArrayList<>();
    List<Expr> defaults = new ArrayList<>();
    while (!tokens.isOperator(")")) {
      names.add(tokens.expectName());
      @Nullable Expr value = tokens.takeOperator("=") ? expressions.expression() : null;
      if (value != null) {
        defaults.add(value);
      } else if (!defaults.isEmpty()) {
        throw new Fault("a parameter without default behind one with");
      }
      if (!tokens.isOperator(")")) {
        tokens.expectOperator(",");
      }
    }
    tokens.next();
    return new Parameters(names, defaults);
  }
}
