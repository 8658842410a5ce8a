package io.gatun.hub;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a model comes from: a repository of the hub, or an address.
 *
 * <pre>
 * hf.co/owner/repo                       the quantization that {@link FileChoice} prefers
 * hf.co/owner/repo:Q4_K_M                this one
 * hf.co/owner/repo@revision:Q8_0         of a branch, tag or commit
 * hf.co/owner/repo/folder/file.gguf      this file
 * https://example.org/file.gguf
 * </pre>
 */
public sealed interface ModelReference {
  /** The branch that is meant when none is said. */
  String MAIN = "main";

  /**
   * A file of a repository.
   *
   * @param quantization such as {@code Q4_K_M}, in capitals
   * @param path the file itself, from the repository's root
   */
  record Hub(
      String owner,
      String repository,
      String revision,
      Optional<String> quantization,
      Optional<String> path)
      implements ModelReference {
    @Override
    public String toString() {
      return "hf.co/%s/%s%s%s%s"
          .formatted(
              owner,
              repository,
              revision.equals(MAIN) ? "" : "@" + revision,
              path.map(p -> "/" + p).orElse(""),
              quantization.map(q -> ":" + q).orElse(""));
    }
  }

  /** A file at an address of its own. */
  record Address(URI uri) implements ModelReference {
    /** The last part of the path. */
    public String fileName() {
      String path = uri.getPath();
      return path.substring(path.lastIndexOf('/') + 1);
    }

    @Override
    public String toString() {
      return uri.toString();
    }
  }

  /** Whether a text means one, and not a file's path. */
  static boolean isReference(String text) {
    return text.matches("(?i)(https?://|hf\\.co/|huggingface\\.co/).+");
  }

  /**
   * Reads one.
   *
   * @throws IllegalArgumentException when the text is none
   */
  static ModelReference parse(String text) {
    Matcher hub = Patterns.HUB.matcher(text);
    if (hub.matches()) {
      return hub(text, hub.group(1), hub.group(2), hub.group(3), hub.group(4));
    }
    if (!text.matches("(?i)https?://.+")) {
      throw new IllegalArgumentException(
          "%s is no model: expected hf.co/owner/repo[:quantization] or https://…/file.gguf"
              .formatted(text));
    }
    return address(text);
  }

  private static ModelReference address(String text) {
    URI uri;
    try {
      uri = new URI(text);
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException("%s is no address: %s".formatted(text, e.getReason()), e);
    }
    Address address = new Address(uri);
    if (uri.getHost() == null || uri.getRawUserInfo() != null) {
      throw new IllegalArgumentException(
          "%s: an address needs a host and no user name".formatted(text));
    }
    if (!Patterns.NAME.matcher(address.fileName()).matches()) {
      throw new IllegalArgumentException("%s: no file's name at the end".formatted(text));
    }
    return address;
  }

  private static Hub hub(String text, String owner, String repository, String rev, String rest) {
    String path = rest == null || !rest.startsWith("/") ? "" : rest.substring(1);
    String revision = rev == null ? MAIN : rev.substring(1);
    // As a browser's address bar has it.
    Matcher browsed = Patterns.BROWSED.matcher(path);
    if (browsed.matches()) {
      revision = browsed.group(1);
      path = browsed.group(2);
    }
    String quantization = rest != null && rest.startsWith(":") ? rest.substring(1) : "";
    if (!path.isEmpty() && (!path.endsWith(".gguf") || !safe(path))) {
      throw new IllegalArgumentException(
          "%s: expected a .gguf file after the repository".formatted(text));
    }
    return new Hub(
        owner,
        repository,
        revision,
        Optional.of(quantization.toUpperCase(java.util.Locale.ROOT)).filter(q -> !q.isEmpty()),
        Optional.of(path).filter(p -> !p.isEmpty()));
  }

  /** Whether a path of a repository stays inside a folder when it is resolved there. */
  static boolean safe(String path) {
    for (String part : path.split("/", -1)) {
      if (!Patterns.NAME.matcher(part).matches()) {
        return false;
      }
    }
    return true;
  }

  /** What names may look like. */
  final class Patterns {
    /** A part of a path: no separator, no drive, nothing hidden, no way up. */
    static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._+ ()=,-]{0,200}");

    private static final Pattern HUB =
        Pattern.compile(
            "(?i)(?:https?://)?(?:www\\.)?(?:hf\\.co|huggingface\\.co)"
                + "/([a-z0-9][a-z0-9._-]{0,95})/([a-z0-9][a-z0-9._-]{0,95})"
                + "(@[a-z0-9][a-z0-9._-]{0,95})?(:[a-z0-9._-]{1,60}|/.+)?/?");

    private static final Pattern BROWSED =
        Pattern.compile("(?:blob|resolve)/([A-Za-z0-9][A-Za-z0-9._-]{0,95})/([^?]+)(?:\\?.*)?");

    private Patterns() {}
  }
}
