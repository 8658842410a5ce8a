package io.gatun.server.generate;

import io.gatun.GenerateOptions;
import io.gatun.model.chat.ToolDefinition;
import io.gatun.server.http.ApiException;
import java.util.List;

/**
 * Which tools an answer may call.
 *
 * @param offered what the model is told of; none where it shall not call any
 * @param forced those of which it has to call one; none where it may as well answer
 * @param several whether it may call more than one
 */
public record ToolUse(List<ToolDefinition> offered, List<ToolDefinition> forced, boolean several) {
  /** No tools at all. */
  public static final ToolUse NONE = new ToolUse(List.of(), List.of(), true);

  public ToolUse {
    offered = List.copyOf(offered);
    forced = List.copyOf(forced);
  }

  /**
   * Options with which a call is enforced where one is forced.
   *
   * @param format the field that may ask for another form
   * @throws ApiException when a form is asked for while tools may be called
   */
  public GenerateOptions enforced(GenerateOptions options, String format) {
    if (options.grammar().isPresent() && !offered.isEmpty()) {
      throw ApiException.field(format, "a form cannot be enforced while tools may be called");
    }
    return forced.isEmpty() ? options : options.withGrammar(ForcedCall.grammar("tools", forced));
  }
}
