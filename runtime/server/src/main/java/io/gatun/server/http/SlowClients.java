package io.gatun.server.http;

import io.helidon.webserver.CloseConnectionException;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Ends answers to clients that do not read them: a write that lasts too long is interrupted, which
 * closes its connection.
 *
 * <p>Thread-safe.
 */
public final class SlowClients implements AutoCloseable {
  private static final Duration LOOK = Duration.ofSeconds(1);

  /** Who writes, and since when in nanoseconds. */
  private final Map<Thread, Long> writing = new ConcurrentHashMap<>();

  private final long mostNanos;
  private final Thread looking;

  /**
   * @param most how long one write may take
   */
  public SlowClients(Duration most) {
    this.mostNanos = most.toNanos();
    this.looking = Thread.ofVirtual().name("gatun-slow-clients").start(this::look);
  }

  /** Something that writes to a client. */
  interface Write {
    void run() throws IOException;
  }

  /**
   * Runs a write.
   *
   * @throws ClientGoneException when it fails, or takes too long
   */
  void write(Write write) {
    Thread me = Thread.currentThread();
    Long since = System.nanoTime();
    writing.put(me, since);
    try {
      write.run();
    } catch (IOException | CloseConnectionException e) {
      throw new ClientGoneException(e);
    } finally {
      writing.remove(me, since);
    }
  }

  private void look() {
    try {
      while (true) {
        Thread.sleep(LOOK);
        long now = System.nanoTime();
        writing.forEach((thread, since) -> {
          if (now - since > mostNanos && writing.remove(thread, since)) {
            thread.interrupt();
          }
        });
      }
    } catch (InterruptedException closed) {
      // The server ends, and this with it.
    }
  }

  @Override
  public void close() {
    looking.interrupt();
  }
}
