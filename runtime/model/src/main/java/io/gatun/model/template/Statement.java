package io.gatun.model.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A statement of a template, with the line it stands on. */
sealed interface Statement {
  int line();

  record Text(int line, String text) implements Statement {}

  record Output(int line, Expr value) implements Statement {}

  record If(int line, Expr test, List<Statement> then, List<Statement> otherwise)
      implements Statement {}

  record For(
      int line,
      Target target,
      Expr items,
      @Nullable Expr filter,
      boolean recursive,
      List<Statement> body,
      List<Statement> otherwise)
      implements Statement {}

  record Break(int line) implements Statement {}

  record Continue(int line) implements Statement {}

  record Set(int line, Target target, Expr value) implements Statement {}

  /** {@code set} with a body; its text replaces {@link #CAPTURED} in the filters. */
  record SetBlock(int line, Target target, Expr filters, List<Statement> body)
      implements Statement {}

  record Macro(int line, String name, Parameters parameters, List<Statement> body)
      implements Statement {}

  /** A call whose body the macro may ask for as {@code caller()}. */
  record CallBlock(int line, Expr.Call call, Parameters parameters, List<Statement> body)
      implements Statement {}

  record FilterBlock(int line, Expr filters, List<Statement> body) implements Statement {}

  record With(int line, List<Target> targets, List<Expr> values, List<Statement> body)
      implements Statement {}

  /** A part that Hugging Face marks as the assistant's own words; rendered as it is. */
  record Generation(int line, List<Statement> body) implements Statement {}

  /** The name under which a captured text enters its filters. No template can write it. */
  String CAPTURED = "\0captured";

  /** What a value is assigned to. */
  sealed interface Target {
    record Name(String name) implements Target {}

    record Names(List<Target> targets) implements Target {}

    /** {@code namespace.attribute}. */
    record Attribute(String namespace, String attribute) implements Target {}
  }

  /** A macro's parameters; the last of them have defaults. */
  record Parameters(List<String> names, List<Expr> defaults) {}
}
