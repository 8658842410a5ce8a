package io.gatun.model.chat.reply;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Fixed texts that mean something, looked for in a text of which more may come. Immutable. */
final class Markers {
  /**
   * A text and what follows it.
   *
   * @param kept whether the text belongs to what follows
   */
  record Marker(String text, boolean kept, Follow follow) {}

  /** What reads on behind a marker. */
  interface Follow {
    ReplyPart part(ReplyScope scope);
  }

  /**
   * Where text ends that certainly is no marker.
   *
   * @param marker what stands there; none where the text ends there or a marker may begin
   */
  record Found(int at, Optional<Marker> marker) {}

  private final List<Marker> longestFirst;
  private final String firstCharacters;

  Markers(List<Marker> markers) {
    List<Marker> sorted = new ArrayList<>(markers);
    sorted.sort(Comparator.comparingInt((Marker m) -> m.text().length()).reversed());
    this.longestFirst = List.copyOf(sorted);
    StringBuilder first = new StringBuilder();
    sorted.forEach(m -> first.append(m.text().charAt(0)));
    this.firstCharacters = first.toString();
  }

  /** Texts alone, all of which are kept. */
  static Markers of(List<String> texts) {
    return new Markers(
        texts.stream()
            .distinct()
            .map(text ->
                new Marker(
                    text,
                    true,
                    _ -> {
                      throw new IllegalStateException("nothing follows " + text);
                    }))
            .toList());
  }

  /** The first marker. */
  Found find(Incoming in) {
    return find(in, 0);
  }

  /** The first marker at or behind a place. */
  Found find(Incoming in, int from) {
    for (int i = from; i < in.length(); i++) {
      if (firstCharacters.indexOf(in.charAt(i)) >= 0) {
        Found found = at(in, i);
        if (found.at() == i) {
          return found;
        }
      }
    }
    return new Found(in.length(), Optional.empty());
  }

  /** The marker at a place; a place behind it when there certainly is none. */
  Found at(Incoming in, int place) {
    for (Marker marker : longestFirst) {
      switch (in.fits(marker.text(), place)) {
        case YES -> {
          return new Found(place, Optional.of(marker));
        }
        case MAYBE -> {
          return new Found(place, Optional.empty());
        }
        case NO -> {}
      }
    }
    return new Found(place + 1, Optional.empty());
  }
}
