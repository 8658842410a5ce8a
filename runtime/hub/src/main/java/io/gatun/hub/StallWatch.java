package io.gatun.hub;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;

/** Reads a stream and closes it when it gives nothing for a while, which ends the reading. */
final class StallWatch implements AutoCloseable {
  private final InputStream in;
  private final Duration stall;
  private final Thread watch;
  private volatile long heardNanos = System.nanoTime();
  private volatile boolean stalled;

  StallWatch(InputStream in, Duration stall) {
    this.in = in;
    this.stall = stall;
    this.watch = Thread.ofVirtual().name("gatun-download-watch").start(this::watch);
  }

  int read(byte[] buffer) throws IOException {
    try {
      int read = in.read(buffer);
      if (read < 0 && stalled) {
        throw stall(null);
      }
      heardNanos = System.nanoTime();
      return read;
    } catch (IOException e) {
      throw stalled ? stall(e) : e;
    }
  }

  private IOException stall(@org.jspecify.annotations.Nullable IOException cause) {
    return new IOException("nothing came for %d s".formatted(stall.toSeconds()), cause);
  }

  private void watch() {
    try {
      while (true) {
        long left = stall.toNanos() - (System.nanoTime() - heardNanos);
        if (left <= 0) {
          stalled = true;
          in.close();
          return;
        }
        Thread.sleep(Duration.ofNanos(left));
      }
    } catch (InterruptedException | IOException done) {
      // Closed, by whoever reads or because the connection is gone.
    }
  }

  @Override
  public void close() {
    watch.interrupt();
  }
}
