package io.gatun.langchain4j;

import io.gatun.AnswerStream;
import io.gatun.engine.FinishReason;
import io.gatun.engine.Usage;
import io.gatun.model.chat.reply.Reply;
import io.gatun.model.chat.reply.ReplyEvent;
import java.util.Optional;
import java.util.function.Consumer;

/** A reply that is being generated. */
interface RunningReply extends AutoCloseable {
  /** Reads it to its end. */
  void read(Consumer<ReplyEvent> reader);

  /** What was read. */
  Reply reply();

  FinishReason finishReason();

  Usage usage();

  void cancel();

  @Override
  void close();

  /** One in which the model is free to answer or to call tools. */
  static RunningReply of(AnswerStream stream) {
    return new RunningReply() {
      @Override
      public void read(Consumer<ReplyEvent> reader) {
        for (Optional<ReplyEvent> e = stream.next(); e.isPresent(); e = stream.next()) {
          reader.accept(e.get());
        }
      }

      @Override
      public Reply reply() {
        return stream.reply();
      }

      @Override
      public FinishReason finishReason() {
        return stream.finishReason();
      }

      @Override
      public Usage usage() {
        return stream.usage();
      }

      @Override
      public void cancel() {
        stream.cancel();
      }

      @Override
      public void close() {
        stream.close();
      }
    };
  }
}
