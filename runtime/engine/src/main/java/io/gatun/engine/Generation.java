package io.gatun.engine;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * A request under way: its tokens arrive here as they are chosen. Closing it cancels what is left.
 *
 * <p>Thread-safe, but the tokens are meant for one reader.
 */
public final class Generation implements AutoCloseable {
  private static final GeneratedToken END = new GeneratedToken(-1, Float.NaN, List.of());

  private final LinkedBlockingQueue<GeneratedToken> tokens = new LinkedBlockingQueue<>();
  private final CompletableFuture<FinishReason> finished = new CompletableFuture<>();
  private final Runnable onCancel;
  private volatile boolean cancelled;
  private volatile @Nullable Usage usage;

  Generation(Runnable onCancel) {
    this.onCancel = onCancel;
  }

  /**
   * The next token; empty after the last.
   *
   * @throws RuntimeException what ended the request, if it failed
   * @throws InterruptedException when the waiting thread is interrupted; the request goes on
   */
  public Optional<GeneratedToken> next() throws InterruptedException {
    GeneratedToken token = tokens.take();
    if (token.id() >= 0) {
      return Optional.of(token);
    }
    tokens.add(END);
    var _ = finishReason();
    return Optional.empty();
  }

  /** Waits for the end and says why it ended; throws what made it fail. */
  public FinishReason finishReason() {
    try {
      return finished.join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }

  /** Waits for the end, also of a request that failed. */
  public void awaitEnd() {
    var _ = finished.handle((_, _) -> true).join();
  }

  /** Stops within one step. Does nothing after the end. */
  public void cancel() {
    if (!finished.isDone()) {
      cancelled = true;
      onCancel.run();
    }
  }

  /** Whether nothing more will come. */
  public boolean done() {
    return finished.isDone();
  }

  /** What it took; waits for the end. */
  public Usage usage() {
    var _ = finishReason();
    Usage known = usage;
    if (known == null) {
      throw new IllegalStateException("finished without a usage");
    }
    return known;
  }

  @Override
  public void close() {
    cancel();
  }

  boolean cancelled() {
    return cancelled;
  }

  void emit(GeneratedToken token) {
    tokens.add(token);
  }

  void finish(FinishReason reason, Usage measured) {
    usage = measured;
    var _ = finished.complete(reason);
    tokens.add(END);
  }

  void fail(Throwable failure) {
    var _ = finished.completeExceptionally(failure);
    tokens.add(END);
  }
}
