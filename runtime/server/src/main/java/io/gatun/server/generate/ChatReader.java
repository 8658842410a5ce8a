package io.gatun.server.generate;

import io.gatun.engine.FinishReason;
import io.gatun.engine.GeneratedToken;
import io.gatun.model.chat.reply.Reply;
import io.gatun.model.chat.reply.ReplyEvent;
import java.util.List;

/** Receives answers as they come, on the thread that asks for them. */
public interface ChatReader {
  /** Tokens came; what they brought, if anything yet, comes next. */
  default void tokens(int choice, List<GeneratedToken> tokens) {}

  /** More of an answer, of its reasoning, or of a tool call. */
  default void event(int choice, ReplyEvent event) {}

  /**
   * The end of one of the answers.
   *
   * @param reply all of it
   */
  void end(int choice, FinishReason reason, Reply reply);
}
