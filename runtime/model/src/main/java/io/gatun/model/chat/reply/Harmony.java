package io.gatun.model.chat.reply;

import java.util.List;

/**
 * OpenAI's harmony, which gpt-oss writes: messages with a header that names a channel and perhaps a
 * recipient, {@code <|start|>assistant<|channel|>commentary
 * to=functions.weather<|message|>…<|call|>}. The analysis channel is reasoning; a message to a
 * recipient is a call of it, whether or not there are tools.
 *
 * @source OpenAI cookbook, "OpenAI harmony response format"
 */
final class Harmony implements ReplyFormat {
  static final String MESSAGE = "<|message|>";
  static final String START = "<|start|>";
  static final String CHANNEL = "<|channel|>";

  /** What ends a message and belongs to it. */
  static final List<String> ENDS = List.of("<|end|>", "<|return|>", "<|call|>");

  @Override
  public String label() {
    return "harmony";
  }

  @Override
  public boolean belongsTo(String template) {
    return template.contains(CHANNEL) && template.contains(MESSAGE);
  }

  @Override
  public ReplySyntax syntax() {
    return ReplySyntax.PLAIN
        .thinking(Thinking.tokens(CHANNEL, ENDS.toArray(String[]::new)))
        .framed(MESSAGE, START, "<|constrain|>");
  }

  @Override
  public ReplyPart begin(ReplyScope s, String prompt) {
    if (s.begun()) {
      return HarmonyMessage.continuing(s);
    }
    String header = prompt.substring(prompt.lastIndexOf(START) + 1);
    return header.endsWith(MESSAGE) ? HarmonyMessage.under(s, header) : new HarmonyHeader();
  }
}
