package io.gatun.server.generate;

import io.gatun.LanguageModel;
import io.gatun.model.Vocabulary;
import io.gatun.model.chat.reply.Reply;
import io.gatun.model.chat.reply.ReplyEvent;
import io.gatun.model.chat.reply.ReplyParser;
import io.gatun.model.chat.reply.ReplySettings;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Makes readers of a conversation's answers. */
final class ReplyReaders {
  private final String template;
  private final String prompt;
  private final ToolUse tools;

  /**
   * @param prompt what is answered, as text
   */
  ReplyReaders(LanguageModel model, String prompt, ToolUse tools) {
    this.template = model.chatTemplate().source();
    this.prompt = prompt;
    this.tools = tools;
  }

  /** A reader for one answer. */
  ReplyReader reader() {
    return tools.forced().isEmpty() ? new Parsing(parser()) : new ForcedCall();
  }

  private ReplyParser parser() {
    return ReplyParser.of(template, prompt, ReplySettings.of(tools.offered()));
  }

  /** Special tokens that mark something in answers, so that the reader has to see them. */
  Set<Integer> marks(Vocabulary vocabulary) {
    ReplyParser parser = parser();
    Set<Integer> marks = new HashSet<>();
    for (int token = 0; token < vocabulary.size(); token++) {
      if (vocabulary.control(token)
          && !vocabulary.endsGeneration(token)
          && parser.marks(vocabulary.show(token))) {
        marks.add(token);
      }
    }
    return marks;
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
