package io.gatun;

import io.gatun.engine.FinishReason;
import io.gatun.engine.Usage;
import io.gatun.model.chat.reply.Reply;
import io.gatun.model.chat.reply.ReplyCall;
import io.gatun.model.chat.reply.ReplyEvent;
import io.gatun.model.chat.reply.ReplyParser;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Queue;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * An assistant's answer as it is generated. Iterating gives the answer's own text, {@link #next}
 * all that happens: reasoning, text and tool calls. Closing it stops the generation; reading to the
 * end closes it too.
 *
 * <p>One reader; {@link #close} may be called from any thread.
 */
public final class AnswerStream implements Iterable<String>, AutoCloseable {
  private final TokenStream tokens;
  private final Iterator<String> pieces;
  private final ReplyParser parser;
  private final int callsBefore;
  private final Consumer<Reply> onEnd;

  private final Queue<ReplyEvent> waiting = new ArrayDeque<>();
  private final AtomicBoolean reported = new AtomicBoolean();

  /** Guards the parser, which {@link #close} ends. */
  private final Object lock = new Object();

  private boolean ended;

  /**
   * @param callsBefore tool calls of the conversation so far; those here are numbered on where the
   *     model's format has no ids
   * @param onEnd told once what was read of the answer
   */
  AnswerStream(TokenStream tokens, ReplyParser parser, int callsBefore, Consumer<Reply> onEnd) {
    this.tokens = tokens;
    this.pieces = tokens.iterator();
    this.parser = parser;
    this.callsBefore = callsBefore;
    this.onEnd = onEnd;
  }

  /** What happens next; empty at the end. Reading throws what made the generation fail. */
  public Optional<ReplyEvent> next() {
    while (waiting.isEmpty() && read()) {
      // until something is clear
    }
    return Optional.ofNullable(waiting.poll());
  }

  /** The pieces of the answer's text, as they come; what else happens is passed over. */
  @Override
  public Iterator<String> iterator() {
    return new Texts();
  }

  /** The pieces of the answer's text as a stream; closing that closes this. */
  public Stream<String> stream() {
    return StreamSupport.stream(
            Spliterators.spliteratorUnknownSize(
                iterator(), Spliterator.ORDERED | Spliterator.NONNULL | Spliterator.IMMUTABLE),
            false)
        .onClose(this::close);
  }

  /** Reads to the end and returns everything. */
  public Answer complete() {
    while (next().isPresent()) {
      // the reply has it all
    }
    return new Answer(reply(), finishReason(), usage());
  }

  /** Reads to the end and tells a listener. */
  void tell(AnswerListener listener) {
    for (Optional<ReplyEvent> event = next(); event.isPresent(); event = next()) {
      switch (event.get()) {
        case ReplyEvent.Content(String text) -> listener.onText(text);
        case ReplyEvent.Reasoning(String text) -> listener.onReasoning(text);
        case ReplyEvent.CallEnded(int _, ReplyCall call) -> listener.onToolCall(call);
        case ReplyEvent.CallBegun _, ReplyEvent.CallArguments _ -> {}
      }
    }
  }

  /** What was read so far. */
  public Reply reply() {
    synchronized (lock) {
      return parser.reply().numbered(callsBefore);
    }
  }

  /** Why it ended; waits for the end. */
  public FinishReason finishReason() {
    return tokens.finishReason();
  }

  /** What it took; waits for the end. */
  public Usage usage() {
    return tokens.usage();
  }

  /** Stops the generation; what was produced so far can still be read. Any thread may call this. */
  public void cancel() {
    tokens.cancel();
  }

  @Override
  public void close() {
    tokens.close();
    synchronized (lock) {
      ended = true;
      var _ = parser.finish();
    }
    report();
  }

  /** Closes it and waits until the engine has let go of it, however it ended. */
  void end() {
    close();
    tokens.end();
  }

  /** Takes one more piece; false at the end. */
  private boolean read() {
    boolean more = pieces.hasNext();
    String piece = more ? pieces.next() : "";
    synchronized (lock) {
      if (ended) {
        return false;
      }
      ended = !more;
      (more ? parser.accept(piece) : parser.finish())
          .forEach(event -> waiting.add(event.numbered(callsBefore)));
    }
    if (!more) {
      report();
    }
    return true;
  }

  private void report() {
    if (reported.compareAndSet(false, true)) {
      onEnd.accept(reply());
    }
  }

  private final class Texts implements Iterator<String> {
    private String piece = "";

    @Override
    public boolean hasNext() {
      while (piece.isEmpty()) {
        Optional<ReplyEvent> event = AnswerStream.this.next();
        if (event.isEmpty()) {
          return false;
        }
        piece = event.get() instanceof ReplyEvent.Content(String text) ? text : "";
      }
      return true;
    }

    @Override
    public String next() {
      if (!hasNext()) {
        throw new NoSuchElementException("the answer has ended");
      }
      String now = piece;
      piece = "";
      return now;
    }
  }
}
