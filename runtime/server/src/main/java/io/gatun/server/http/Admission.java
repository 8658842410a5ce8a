package io.gatun.server.http;

import io.gatun.server.http.ApiException.Reason;
import java.time.Duration;

/**
 * How many requests are computed at once; more are told to come again. Thread-safe.
 *
 * <p>Once it drains, nobody new comes in, and those inside may finish.
 */
public final class Admission {
  private final int most;
  private int inside;
  private boolean draining;

  public Admission(int most) {
    if (most < 1) {
      throw new IllegalArgumentException("at least 1 request must be possible, got " + most);
    }
    this.most = most;
  }

  /** Lets one in, until it is closed. */
  synchronized Place enter() {
    if (draining) {
      throw ApiException.of(Reason.UNAVAILABLE, "the server is shutting down");
    }
    if (inside >= most) {
      throw ApiException.of(
              Reason.BUSY, "%d requests are being answered already; come again".formatted(inside))
          .withCode("too_many_requests");
    }
    inside++;
    return this::leave;
  }

  /** A request's place inside. */
  interface Place extends AutoCloseable {
    @Override
    void close();
  }

  private synchronized void leave() {
    inside--;
    notifyAll();
  }

  /** How many are inside. */
  public synchronized int inside() {
    return inside;
  }

  /** Lets nobody in any more and waits for those inside; whether all have left in time. */
  public synchronized boolean drain(Duration most) throws InterruptedException {
    draining = true;
    long end = System.nanoTime() + most.toNanos();
    while (inside > 0) {
      long millis = (end - System.nanoTime()) / 1_000_000;
      if (millis <= 0) {
        return false;
      }
      wait(millis);
    }
    return true;
  }
}
