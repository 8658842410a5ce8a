package io.gatun.model.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** An expression of a template. */
sealed interface Expr {
  record Constant(Value value) implements Expr {}

  record Name(String name) implements Expr {}

  record Items(List<Expr> items, boolean tuple) implements Expr {}

  record Pairs(List<Expr> keys, List<Expr> values) implements Expr {}

  record Not(Expr operand) implements Expr {}

  /** A plus or minus sign. */
  record Sign(boolean minus, Expr operand) implements Expr {}

  record Both(Expr left, Expr right) implements Expr {}

  record Either(Expr left, Expr right) implements Expr {}

  record Arithmetic(String operator, Expr left, Expr right) implements Expr {}

  /** {@code a < b <= c}: every operand is evaluated once. */
  record Comparison(Expr first, List<String> operators, List<Expr> others) implements Expr {}

  /** {@code a ~ b}. */
  record Joined(List<Expr> parts) implements Expr {}

  record Choice(Expr test, Expr then, @Nullable Expr otherwise) implements Expr {}

  record Attribute(Expr of, String name) implements Expr {}

  record Item(Expr of, Expr index) implements Expr {}

  /** What stands in brackets with colons. */
  record Slice(@Nullable Expr start, @Nullable Expr stop, @Nullable Expr step) implements Expr {}

  record Call(Expr function, CallArguments arguments) implements Expr {}

  record Filter(Expr input, String name, CallArguments arguments) implements Expr {}

  record Test(Expr input, String name, CallArguments arguments) implements Expr {}

  /** The arguments of a call as they are written. */
  record CallArguments(
      List<Expr> positional,
      List<String> names,
      List<Expr> named,
      @Nullable Expr rest,
      @Nullable Expr namedRest) {
    static final CallArguments NONE = of(List.of());

    static CallArguments of(List<Expr> positional) {
      return new CallArguments(positional, List.of(), List.of(), null, null);
    }
  }
}
