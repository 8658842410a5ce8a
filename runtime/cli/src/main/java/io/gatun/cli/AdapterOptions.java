package io.gatun.cli;

import io.gatun.LanguageModel;
import io.gatun.engine.AdapterUse;
import io.gatun.model.adapter.Adapter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.NoSuchElementException;
import picocli.CommandLine.Option;

/** Which adapters act, and how strongly. */
final class AdapterOptions {
  @Option(
      names = "--adapter",
      paramLabel = "FILE[=SCALE]",
      description =
          "A LoRA, soft prompt or control vector (GGUF); several act together. The story model has"
              + " two of its own: pirate and rhyme.")
  List<String> adapters = List.of();

  List<AdapterUse> load(LanguageModel model) {
    return adapters.stream().map(adapter -> load(model, adapter)).toList();
  }

  /**
   * Reads {@code FILE[=SCALE]}; a file that is loaded already is not read again. Adapters of the
   * story model have names of their own, which files of the same name hide.
   */
  static AdapterUse load(LanguageModel model, String text) {
    int equals = text.lastIndexOf('=');
    boolean scaled = equals > 0 && !Files.exists(Path.of(text));
    Path file = Path.of(scaled ? text.substring(0, equals) : text);
    float scale = 1;
    if (scaled) {
      try {
        scale = Float.parseFloat(text.substring(equals + 1));
      } catch (NumberFormatException e) {
        throw new IllegalArgumentException(
            "--adapter %s: the scale is no number".formatted(text), e);
      }
    }
    return new AdapterUse(known(model, file), scale);
  }

  private static Adapter known(LanguageModel model, Path file) {
    String name = String.valueOf(file.getFileName());
    try {
      return model
          .adapters()
          .get(name.endsWith(".gguf") ? name.substring(0, name.length() - 5) : name);
    } catch (NoSuchElementException first) {
      return model.adapters().load(Files.exists(file) ? file : shipped(file));
    }
  }

  /** One that comes with the story model, by its name; else the file itself. */
  private static Path shipped(Path file) {
    try {
      return ShippedModel.adapter(file.toString()).orElse(file);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot unpack adapter " + file + ": " + e.getMessage(), e);
    }
  }
}
