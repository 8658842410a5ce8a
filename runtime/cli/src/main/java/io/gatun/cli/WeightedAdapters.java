package io.gatun.cli;

import io.gatun.adapters.peft.Weighted;
import io.gatun.model.adapter.AdapterFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Adapters and how strongly each counts, as arguments of commands. */
final class WeightedAdapters {
  private WeightedAdapters() {}

  /** Reads adapters named as {@code FILE[=SCALE]}. */
  static List<Weighted> read(List<String> texts) throws IOException {
    List<Weighted> parts = new ArrayList<>();
    Set<Path> seen = new HashSet<>();
    for (String text : texts) {
      int equals = text.lastIndexOf('=');
      boolean scaled = equals > 0 && !Files.exists(Path.of(text));
      Path file = Path.of(scaled ? text.substring(0, equals) : text);
      float scale = 1;
      if (scaled) {
        try {
          scale = Float.parseFloat(text.substring(equals + 1));
        } catch (NumberFormatException e) {
          throw new IllegalArgumentException(text + ": the scale is no number", e);
        }
      }
      if (!seen.add(file.toAbsolutePath().normalize())) {
        throw new IllegalArgumentException(file + " is named twice");
      }
      parts.add(new Weighted(AdapterFile.read(file), scale));
    }
    return parts;
  }
}
