package io.gatun.model.template;

import io.gatun.model.json.JsonValue;
import java.time.Clock;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;

/**
 * A parsed Jinja template, as Hugging Face's {@code apply_chat_template} would render it: {@code
 * trim_blocks}, {@code lstrip_blocks}, loop controls, {@code generation} blocks, {@code
 * raise_exception}, {@code strftime_now} and {@code tojson} without HTML escapes.
 *
 * <p>Templates come with models and are not trusted. They see the variables given and nothing of
 * Java, cannot load anything, and are stopped at {@link TemplateLimits}. Immutable, thread-safe.
 *
 * @source Jinja 3.1.6; transformers, chat_template_utils
 */
public final class Template {
  private final String source;
  private final List<Statement> body;

  private Template(String source, List<Statement> body) {
    this.source = source;
    this.body = body;
  }

  /**
   * Parses a template.
   *
   * @throws TemplateException if it is malformed, with the line
   */
  public static Template parse(String source) {
    return new Template(source, StatementParser.parse(source));
  }

  public String source() {
    return source;
  }

  /**
   * Renders with variables; {@code strftime_now} asks the system's clock.
   *
   * @throws TemplateException if the template refuses, fails, or exceeds the default limits
   */
  public String render(Map<String, ? extends JsonValue> variables) {
    return render(variables, Clock.system(ZoneId.systemDefault()), TemplateLimits.DEFAULT);
  }

  /** The same with a clock and limits. */
  public String render(
      Map<String, ? extends JsonValue> variables, Clock clock, TemplateLimits limits) {
    Interpreter interpreter = new Interpreter(new Budget(limits), clock);
    try {
      Scope scope = Scope.outermost();
      Functions.ALL.forEach((name, builtin) -> scope.set(name, new Value.Function(name, builtin)));
      Scope given = scope.inner();
      variables.forEach((name, value) -> given.set(name, JsonBridge.value(value)));
      return interpreter.render(body, given.inner());
    } catch (Fault fault) {
      throw new TemplateException(interpreter.line(), fault);
    }
  }
}
