package io.gatun;

import io.gatun.engine.FinishReason;
import io.gatun.engine.GeneratedToken;
import io.gatun.engine.Generation;
import io.gatun.engine.Usage;
import io.gatun.model.TextDecoder;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * A text as it is generated, piece by piece: each piece has whole characters. Closing it stops the
 * generation; reading to the end closes it too.
 *
 * <p>One reader; {@link #close} may be called from any thread.
 */
public final class TokenStream implements Iterable<String>, AutoCloseable {
  private final Generation generation;
  private final TextDecoder decoder;
  private final StopTexts stops;
  private final Pieces pieces = new Pieces();
  private final StringBuilder text = new StringBuilder();
  private final List<GeneratedToken> tokens = new ArrayList<>();
  private String next = "";
  private boolean ended;

  TokenStream(Generation generation, TextDecoder decoder, List<String> stops) {
    this.generation = generation;
    this.decoder = decoder;
    this.stops = new StopTexts(stops);
  }

  /**
   * The pieces, as they come; this can be read once. Reading throws what made the generation fail.
   */
  @Override
  public Iterator<String> iterator() {
    return pieces;
  }

  /** The pieces as a stream; closing that closes this. */
  public Stream<String> stream() {
    return StreamSupport.stream(
            Spliterators.spliteratorUnknownSize(
                pieces, Spliterator.ORDERED | Spliterator.NONNULL | Spliterator.IMMUTABLE),
            false)
        .onClose(this::close);
  }

  /**
   * The next piece with its tokens, in place of {@link #iterator} for callers that want both; empty
   * after the last.
   */
  public Optional<TextPiece> nextPiece() {
    if (!pieces.hasNext() && tokens.isEmpty()) {
      return Optional.empty();
    }
    TextPiece piece = new TextPiece(next, tokens);
    tokens.clear();
    next = "";
    return Optional.of(piece);
  }

  /** Reads to the end and returns everything. */
  public Completion complete() {
    pieces.forEachRemaining(_ -> {});
    return new Completion(text(), finishReason(), usage());
  }

  /** The text read so far. */
  public String text() {
    synchronized (text) {
      return text.toString();
    }
  }

  /** Why it ended; waits for the end. */
  public FinishReason finishReason() {
    FinishReason reason = generation.finishReason();
    return stops.found() ? FinishReason.STOP_TEXT : reason;
  }

  /** The stop text that ended it, as far as it was read. */
  public Optional<String> stopText() {
    return stops.foundText();
  }

  /** What it took; waits for the end. */
  public Usage usage() {
    return generation.usage();
  }

  /** Stops the generation; what was produced so far can still be read. Any thread may call this. */
  public void cancel() {
    generation.cancel();
  }

  @Override
  public void close() {
    generation.cancel();
  }

  /** Closes it and waits until the engine has let go of it, however it ended. */
  void end() {
    close();
    generation.awaitEnd();
  }

  private final class Pieces implements Iterator<String> {
    @Override
    public boolean hasNext() {
      while (next.isEmpty() && !ended) {
        advance();
      }
      return !next.isEmpty();
    }

    @Override
    public String next() {
      if (!hasNext()) {
        throw new NoSuchElementException("the text has ended");
      }
      String piece = next;
      next = "";
      tokens.clear();
      return piece;
    }
  }

  /** Takes one token; the next piece may stay empty. */
  private void advance() {
    Optional<GeneratedToken> token = take();
    if (token.isEmpty()) {
      next = stops.accept(decoder.finish());
      next += stops.found() ? "" : stops.finish();
      ended = true;
    } else {
      tokens.add(token.get());
      next = stops.accept(decoder.accept(token.get().id()));
      if (stops.found()) {
        if (next.isEmpty()) {
          tokens.clear(); // they belong to the stop text, which does not appear
        }
        generation.cancel();
        ended = true;
      }
    }
    synchronized (text) {
      text.append(next);
    }
  }

  private Optional<GeneratedToken> take() {
    try {
      return generation.next();
    } catch (InterruptedException e) {
      generation.cancel();
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for text; it was cancelled", e);
    }
  }
}
