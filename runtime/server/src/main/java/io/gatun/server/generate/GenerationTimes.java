package io.gatun.server.generate;

import io.gatun.TextPiece;
import java.util.HashMap;
import java.util.Map;

/** Measures a request's texts as they come, for a listener. For one thread. */
final class GenerationTimes {
  private final String model;
  private final GenerationListener listener;
  private final long startNanos = System.nanoTime();

  /** When the last piece of each text came. */
  private final Map<Integer, Long> lastNanos = new HashMap<>();

  GenerationTimes(String model, GenerationListener listener) {
    this.model = model;
    this.listener = listener;
  }

  void piece(int choice, TextPiece piece) {
    if (piece.tokens().isEmpty()) {
      return;
    }
    long now = System.nanoTime();
    Long last = lastNanos.put(choice, now);
    int count = piece.tokens().size();
    if (last == null) {
      listener.firstToken(model, now - startNanos);
    } else {
      listener.moreTokens(model, count, (now - last) / count);
    }
  }

  void finished(Choices.Totals totals) {
    listener.finished(model, totals);
  }
}
