package io.gatun;

import java.util.List;
import java.util.Optional;

/**
 * Finds stop texts in a text that arrives in pieces. What may be the beginning of one is held back
 * until it is clear.
 */
final class StopTexts {
  private final List<String> stops;
  private final StringBuilder held = new StringBuilder();
  private boolean found;
  private String foundText = "";

  StopTexts(List<String> stops) {
    this.stops = stops;
  }

  /** Takes a piece and returns what can be shown. */
  String accept(String piece) {
    if (stops.isEmpty()) {
      return piece;
    }
    held.append(piece);
    int end = firstStop();
    if (end >= 0) {
      found = true;
      foundText = stops.stream().filter(s -> held.indexOf(s) == end).findFirst().orElseThrow();
      held.setLength(end);
      return release(end);
    }
    return release(held.length() - longestBeginning());
  }

  /** What was held back, when nothing follows. */
  String finish() {
    return release(held.length());
  }

  boolean found() {
    return found;
  }

  Optional<String> foundText() {
    return found ? Optional.of(foundText) : Optional.empty();
  }

  private String release(int length) {
    String text = held.substring(0, length);
    held.delete(0, length);
    return text;
  }

  private int firstStop() {
    return stops.stream().mapToInt(held::indexOf).filter(i -> i >= 0).min().orElse(-1);
  }

  /** How many characters at the end could begin a stop text. */
  private int longestBeginning() {
    int longest = 0;
    for (String stop : stops) {
      for (int n = Math.min(stop.length() - 1, held.length()); n > longest; n--) {
        if (stop.startsWith(held.substring(held.length() - n))) {
          longest = n;
        }
      }
    }
    return longest;
  }
}
