package io.gatun.server.http;

import io.helidon.webserver.CloseConnectionException;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Ends exchanges with clients that do not read their answers or do not send the rest of their
 * requests: what waits for them too long is interrupted, which closes the connection.
 *
 * <p>Thread-safe.
 */
public final class SlowClients implements AutoCloseable {
  private static final Duration LOOK = Duration.ofSeconds(1);

  /** Who waits for a client, and since when in nanoseconds. */
  private final Map<Thread, Long> waiting = new ConcurrentHashMap<>();

  private final long mostNanos;
  private final Thread looking;

  /**
   * @param most how long one write may take, and how long reading one body
   */
  public SlowClients(Duration most) {
    this.mostNanos = most.toNanos();
    this.looking = Thread.ofVirtual().name("gatun-slow-clients").start(this::look);
  }

  /** Something that writes to a client. */
  interface Write {
    void run() throws IOException;
  }

  /** Something that reads from a client. */
  interface Read<T> {
    T run() throws IOException;
  }

  /**
   * Runs a write.
   *
   * @throws ClientGoneException when it fails, or takes too long
   */
  void write(Write write) {
    var _ =
        read(() -> {
          write.run();
          return true;
        });
  }

  /**
   * Runs a read.
   *
   * @throws ClientGoneException when it fails, or takes too long
   */
  <T> T read(Read<T> read) {
    Thread me = Thread.currentThread();
    Long since = System.nanoTime();
    waiting.put(me, since);
    try {
      return read.run();
    } catch (IOException | CloseConnectionException e) {
      throw new ClientGoneException(e);
    } finally {
      waiting.remove(me, since);
    }
  }

  private void look() {
    try {
      while (true) {
        Thread.sleep(LOOK);
        long now = System.nanoTime();
        waiting.forEach((thread, since) -> {
          if (now - since > mostNanos && waiting.remove(thread, since)) {
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
