package io.gatun.model.template;

import java.math.BigInteger;
import java.util.HashMap;
import java.util.Map;

/** What may stand behind {@code is}. */
final class Tests {
  static final Map<String, Builtin> ALL = new HashMap<>();

  static {
    test("defined", (v, _, _) -> !(v instanceof Value.Undefined));
    test("undefined", (v, _, _) -> v instanceof Value.Undefined);
    test("none", (v, _, _) -> v == Value.None.NONE);
    test("boolean", (v, _, _) -> v instanceof Value.Bool);
    test("true", (v, _, _) -> v instanceof Value.Bool(boolean b) && b);
    test("false", (v, _, _) -> v instanceof Value.Bool(boolean b) && !b);
    test("integer", (v, _, _) -> v instanceof Value.Int);
    test("float", (v, _, _) -> v instanceof Value.Real);
    test("number", (v, _, _) -> Numbers.number(v));
    test("string", (v, _, _) -> v instanceof Value.Str);
    test("mapping", (v, _, _) -> v instanceof Value.Dict);
    test("sequence", (v, _, _) -> sequence(v));
    test("iterable", (v, _, _) -> sequence(v) || v instanceof Value.Loop);
    test("callable", (v, _, _) -> v instanceof Value.Function);
    test("escaped", (v, _, _) -> v instanceof Value.Str(String _, boolean safe) && safe);
    test("lower", (v, _, e) -> islower(Printer.text(v, e.budget())));
    test("upper", (v, _, e) -> isupper(Printer.text(v, e.budget())));
    test("odd", (v, _, _) -> integer(v).testBit(0));
    test("even", (v, _, _) -> !integer(v).testBit(0));
    test(
        "divisibleby",
        (v, a, e) ->
            !Truth.of(
                Numbers.compute(
                    "%", new Value.Int(integer(v)), new Value.Int(integer(a.need("num"))))),
        "num");
    test(
        "filter",
        (v, _, _) -> v instanceof Value.Str(String s, boolean _) && Filters.ALL.containsKey(s));
    test(
        "test",
        (v, _, _) -> v instanceof Value.Str(String s, boolean _) && Tests.ALL.containsKey(s));
    test("sameas", (v, a, _) -> same(v, a.need("other")), "other");
    test("in", (v, a, e) -> Operators.contains(a.need("seq"), v, e.budget()), "seq");
    comparison("==", "==", "eq", "equalto");
    comparison("!=", "!=", "ne");
    comparison("<", "<", "lt", "lessthan");
    comparison("<=", "<=", "le");
    comparison(">", ">", "gt", "greaterthan");
    comparison(">=", ">=", "ge");
  }

  private interface Body {
    boolean apply(Value value, Arguments arguments, Evaluator evaluator);
  }

  private Tests() {}

  private static void test(String name, Body body, String... parameters) {
    ALL.put(name, Builtin.of((v, a, e) -> Value.Bool.of(body.apply(v, a, e)), parameters));
  }

  private static void comparison(String operator, String... names) {
    for (String name : names) {
      test(name, (v, a, e) -> Operators.holds(operator, v, a.need("other"), e.budget()), "other");
    }
  }

  private static boolean sequence(Value value) {
    return value instanceof Value.Str
        || value instanceof Value.Items
        || value instanceof Value.Dict
        || value instanceof Value.Undefined;
  }

  private static boolean islower(String s) {
    return s.equals(Spaces.lower(s)) && !s.equals(Spaces.upper(s));
  }

  private static boolean isupper(String s) {
    return s.equals(Spaces.upper(s)) && !s.equals(Spaces.lower(s));
  }

  private static BigInteger integer(Value value) {
    return Numbers.integer(value)
        .orElseThrow(() -> new Fault("an integer is needed, not " + Types.name(value)));
  }

  @SuppressWarnings("ReferenceEquality") // that is what the test asks
  private static boolean same(Value a, Value b) {
    return a == b || (!(a instanceof Value.Items) && !(a instanceof Value.Dict) && a.equals(b));
  }
}
