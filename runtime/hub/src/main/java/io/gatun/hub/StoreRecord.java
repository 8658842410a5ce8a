package io.gatun.hub;

import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;

/**
 * What is known of a model, in {@code FIRST-FILE.model} beside it. Without this file, or with a
 * part missing, there is no model, only files.
 */
final class StoreRecord {
  static final String SUFFIX = ".model";

  private StoreRecord() {}

  /** The record's file for a model whose first file is this. */
  static Path of(Path first) {
    return first.resolveSibling(first.getFileName() + SUFFIX);
  }

  static void write(StoredModel model) throws IOException {
    Properties properties = new Properties();
    properties.setProperty("reference", model.reference());
    properties.setProperty("fetched", model.fetched().toString());
    for (int i = 0; i < model.files().size(); i++) {
      properties.setProperty("file." + i, model.files().get(i).getFileName().toString());
      properties.setProperty("sha256." + i, model.sha256().get(i));
    }
    StringWriter text = new StringWriter();
    properties.store(text, null);
    Path record = of(model.file());
    Path beside = Files.createTempFile(record.getParent(), "record-", ".part");
    try {
      Files.writeString(beside, text.toString());
      Files.move(
          beside, record, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      var _ = Files.deleteIfExists(beside);
    }
  }

  /** The model, if it is whole. */
  static Optional<StoredModel> read(Path record) throws IOException {
    Properties properties = new Properties();
    try {
      properties.load(new StringReader(Files.readString(record)));
      List<Path> files = new ArrayList<>();
      List<String> sums = new ArrayList<>();
      long bytes = 0;
      for (int i = 0; properties.containsKey("file." + i); i++) {
        String name = properties.getProperty("file." + i);
        if (!ModelReference.safe(name) || name.contains("/")) {
          return Optional.empty();
        }
        Path file = record.resolveSibling(name);
        if (!Files.isRegularFile(file)) {
          return Optional.empty();
        }
        files.add(file);
        sums.add(properties.getProperty("sha256." + i, ""));
        bytes += Files.size(file);
      }
      String reference = properties.getProperty("reference");
      if (files.isEmpty() || reference == null) {
        return Optional.empty();
      }
      Instant fetched = Instant.parse(properties.getProperty("fetched", Instant.EPOCH.toString()));
      return Optional.of(new StoredModel(reference, files, bytes, sums, fetched));
    } catch (IllegalArgumentException | DateTimeException broken) {
      return Optional.empty();
    }
  }
}
