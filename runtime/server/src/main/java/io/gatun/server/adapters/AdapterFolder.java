package io.gatun.server.adapters;

import io.gatun.server.http.ApiException;
import io.gatun.server.http.ApiException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The folder whose adapters may be loaded while the server runs. Nothing outside of it can be
 * named: a name is that of a file right inside, and the file is no link.
 */
public final class AdapterFolder {
  private static final String ENDING = ".gguf";
  private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9_][a-zA-Z0-9._-]{0,99}");

  private final Path folder;

  /**
   * @throws IllegalArgumentException when there is no such folder
   */
  public AdapterFolder(Path folder) {
    if (!Files.isDirectory(folder)) {
      throw new IllegalArgumentException(folder + " is no folder");
    }
    this.folder = folder;
  }

  /** Whether a text can be the name of an adapter. */
  static boolean isName(String text) {
    return NAME.matcher(text).matches();
  }

  /**
   * The file of a name, with or without its ending.
   *
   * @throws ApiException when there is none
   */
  Path file(String name) {
    String plain = name.endsWith(ENDING) ? name.substring(0, name.length() - 5) : name;
    Path file = folder.resolve(plain + ENDING);
    if (!isName(plain) || !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      throw ApiException.of(Reason.NOT_FOUND, "there is no such file among the adapters")
          .withCode("file_not_found");
    }
    return file;
  }

  /** The names of all files. */
  List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(f -> Files.isRegularFile(f, LinkOption.NOFOLLOW_LINKS))
          .map(f -> String.valueOf(f.getFileName()))
          .filter(n -> n.endsWith(ENDING))
          .map(n -> n.substring(0, n.length() - 5))
          .filter(AdapterFolder::isName)
          .sorted()
          .toList();
    }
  }
}
