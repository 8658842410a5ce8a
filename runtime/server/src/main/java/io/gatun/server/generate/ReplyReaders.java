package io.gatun.server.generate;

import io.gatun.LanguageModel;
import io.gatun.model.chat.reply.Reply;
import io.gatun.model.chat.reply.ReplyEvent;
import io.gatun.model.chat.reply.ReplyParser;
import java.util.List;

/**
 * Makes readers of a conversation's answers.
 *
 * @param prompt what is answered; a grammar begins with the answer, whatever the prompt began, and
 *     so it is empty then
 */
record ReplyReaders(LanguageModel model, int[] prompt, ToolUse tools) {
  static ReplyReaders of(LanguageModel model, int[] prompt, ChatPlan plan, boolean grammar) {
    return new ReplyReaders(model, grammar ? new int[0] : prompt, plan.tools());
  }

  /** A reader for one answer. */
  ReplyReader reader() {
    return tools.forced().isEmpty()
        ? new Parsing(model.replyParser(prompt, tools.offered()))
        : new ForcedCall();
  }

  /** An answer in the model's own format. */
  private record Parsing(ReplyParser parser) implements ReplyReader {
    @Override
    public List<ReplyEvent> accept(String piece) {
      return parser.accept(piece);
    }

    @Override
    public List<ReplyEvent> finish() {
      return parser.finish();
    }

    @Override
    public Reply reply() {
      return parser.reply();
    }
  }
}
