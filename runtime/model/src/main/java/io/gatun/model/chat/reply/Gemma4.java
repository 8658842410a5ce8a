package io.gatun.model.chat.reply;

import java.util.List;

/** Gemma 4: arguments without quotes around names, and strings between tokens. */
final class Gemma4 implements ReplyFormat {
  @Override
  public String label() {
    return "gemma 4";
  }

  @Override
  public boolean belongsTo(String template) {
    return template.contains("<|tool_call>call:");
  }

  @Override
  public ReplySyntax syntax() {
    return ReplySyntax.calls(
            LooseCalls.of(
                "<|tool_call>",
                "call:$name{",
                new LooseArguments.Style(List.of("<|\"|>"), ':', '}', false),
                "<tool_call|>"))
        .thinking(
            Thinking.tokens("<|channel>thought", "<channel|>")
                .withStrays("<|channel>", "<channel|>"))
        .callsFramed("<tool_call|>");
  }
}
