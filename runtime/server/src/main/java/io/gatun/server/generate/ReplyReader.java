package io.gatun.server.generate;

import io.gatun.model.chat.reply.Reply;
import io.gatun.model.chat.reply.ReplyEvent;
import java.util.List;

/** Takes an answer apart while it comes: reasoning, content, tool calls. One per answer. */
interface ReplyReader {
  /** What a piece brought; nothing while it may still be one thing or another. */
  List<ReplyEvent> accept(String piece);

  /** What was held back, at the end. */
  List<ReplyEvent> finish();

  /** Everything that was told. */
  Reply reply();
}
