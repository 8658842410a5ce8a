package io.gatun.langchain4j;

import java.util.Set;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Skips those of LangChain4j's tests that no model of 260 000 weights can pass. */
final class BeyondTinyModels implements ExecutionCondition {
  /** They look for facts in the answer, or want the model to call a tool of its own accord. */
  private static final Set<String> CAPABLE =
      Set.of(
          "should_chat_asynchronously",
          "should_respect_user_message",
          "should_respect_system_message",
          "should_respect_multiple_messages",
          "should_respect_stopSequences_in_chat_request",
          "should_respect_stopSequences_in_default_model_parameters",
          "should_execute_a_tool_then_answer",
          "should_execute_a_tool_without_arguments_then_answer",
          "should_execute_multiple_tools_in_parallel_then_answer",
          "should_force_LLM_to_execute_any_tool",
          "should_force_LLM_to_execute_specific_tool",
          "should_respect_JSON_response_format",
          "should_respect_JSON_response_format_with_schema",
          "should_respect_JsonRawSchema_responseFormat",
          "should_propagate_user_exceptions_thrown_from_onPartialResponse",
          "should_propagate_user_exceptions_thrown_from_onCompleteResponse",
          "should_ignore_user_exceptions_thrown_from_onError");

  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    boolean capable =
        context.getTestMethod().filter(m -> CAPABLE.contains(m.getName())).isPresent();
    return capable
        ? ConditionEvaluationResult.disabled("the answer is looked at: it needs a capable model")
        : ConditionEvaluationResult.enabled("any model can do this");
  }
}
