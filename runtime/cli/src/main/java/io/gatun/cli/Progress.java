package io.gatun.cli;

/**
 * Shows how far a long piece of work is: a line that is redrawn on a terminal, and a line at every
 * tenth otherwise. Goes to standard error.
 */
final class Progress {
  private final String what;
  private final long total;
  private final boolean terminal = Console.interactive();
  private long shown = -1;

  Progress(String what, long total) {
    this.what = what;
    this.total = Math.max(1, total);
  }

  void at(long done, String detail) {
    long percent = Math.clamp(100 * done / total, 0, 100);
    if (terminal) {
      int bars = (int) (percent / 5);
      Console.status(
          "\r%s [%s%s] %3d%% %s\u001b[K"
              .formatted(what, "#".repeat(bars), " ".repeat(20 - bars), percent, detail));
    } else if (percent / 10 > shown / 10 || shown < 0) {
      Console.note("%s %d%% %s".formatted(what, percent, detail));
    }
    shown = percent;
  }

  void end() {
    if (terminal && shown >= 0) {
      Console.status("\r\u001b[K");
    }
  }
}
