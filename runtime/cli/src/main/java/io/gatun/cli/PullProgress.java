package io.gatun.cli;

import io.gatun.hub.DownloadListener;
import io.gatun.model.MemoryPlan;

/** Shows a download on standard error: how much, how fast, how long yet. */
final class PullProgress implements DownloadListener, AutoCloseable {
  private static final long REDRAW_NANOS = 200_000_000;

  private String file = "";
  private Progress progress = new Progress("", 1);
  private long startNanos;
  private long startBytes;
  private long drawnNanos;

  @Override
  public void at(String name, long done, long total) {
    long now = System.nanoTime();
    if (!name.equals(file)) {
      progress.end();
      file = name;
      progress = new Progress(name, total < 0 ? Long.MAX_VALUE : total);
      startNanos = now;
      startBytes = done;
      drawnNanos = now - REDRAW_NANOS;
    }
    if (now - drawnNanos < REDRAW_NANOS && done != total) {
      return;
    }
    drawnNanos = now;
    double perSecond = (done - startBytes) / Math.max(1e-3, (now - startNanos) / 1e9);
    String left =
        total > done && perSecond > 0
            ? ", %d s left".formatted(Math.round((total - done) / perSecond))
            : "";
    progress.at(
        done,
        "%s%s, %s/s%s"
            .formatted(
                MemoryPlan.show(done),
                total < 0 ? "" : " of " + MemoryPlan.show(total),
                MemoryPlan.show((long) perSecond),
                left));
  }

  @Override
  public void note(String message) {
    progress.end();
    Console.note(message);
  }

  @Override
  public void close() {
    progress.end();
  }
}
