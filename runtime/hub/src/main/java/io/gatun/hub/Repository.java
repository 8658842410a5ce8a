package io.gatun.hub;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a repository of the hub holds, by the hub's HTTP interface: {@code
 * /api/models/OWNER/REPO/tree/REVISION} lists files page by page, {@code
 * /OWNER/REPO/resolve/REVISION/PATH} is a file's content.
 */
final class Repository {
  private static final int PAGE_BYTES_MAX = 16 << 20;
  private static final int PAGES_MAX = 100;
  private static final Pattern NEXT = Pattern.compile("<([^>]+)>\\s*;\\s*rel=\"?next\"?");
  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

  private final Web web;
  private final URI endpoint;
  private final ModelReference.Hub reference;

  Repository(Web web, URI endpoint, ModelReference.Hub reference) {
    this.web = web;
    this.endpoint = endpoint;
    this.reference = reference;
  }

  /** All files, of all pages. */
  List<RemoteFile> files() {
    List<RemoteFile> files = new ArrayList<>();
    URI page =
        at("/api/models/%s/tree/%s".formatted(name(), reference.revision()), "recursive=true");
    for (int i = 0; i < PAGES_MAX; i++) {
      Optional<URI> next = readPage(page, files);
      if (next.isEmpty()) {
        return files;
      }
      page = next.get();
    }
    throw new HubException("%s lists more than %d pages".formatted(reference, PAGES_MAX));
  }

  /** Where a file's content is. */
  URI content(String path) {
    return at("/%s/resolve/%s/%s".formatted(name(), reference.revision(), path), null);
  }

  private Optional<URI> readPage(URI page, List<RemoteFile> files) {
    try {
      HttpResponse<InputStream> answer = web.get(page, Map.of("Accept", "application/json"));
      try (InputStream body = answer.body()) {
        requireFound(answer.statusCode());
        byte[] bytes = body.readNBytes(PAGE_BYTES_MAX + 1);
        if (bytes.length > PAGE_BYTES_MAX) {
          throw new IOException(
              "the list of files is larger than %d bytes".formatted(bytes.length));
        }
        for (Object entry : JSON.std.listFrom(new String(bytes, StandardCharsets.UTF_8))) {
          file(entry).ifPresent(files::add);
        }
        Optional<String> link = answer.headers().firstValue("Link");
        Matcher next = NEXT.matcher(link.orElse(""));
        return next.find() ? Optional.of(page.resolve(next.group(1))) : Optional.empty();
      }
    } catch (IOException | IllegalArgumentException e) {
      throw new HubException(
          "cannot read what %s holds from %s: %s"
              .formatted(reference, endpoint, Download.reason(e)),
          e);
    }
  }

  private void requireFound(int status) {
    switch (status) {
      case 200 -> {}
      case 401, 403 ->
          throw new HubException(
              "%s does not exist or may not be read (HTTP %d); if it is private or has terms to accept, accept them and set HF_TOKEN"
                  .formatted(reference, status));
      case 404 ->
          throw new HubException(
              "%s does not exist at %s; is the name, or the revision %s, right?"
                  .formatted(reference, endpoint, reference.revision()));
      default ->
          throw new HubException(
              "%s answers HTTP %d for %s; try again later".formatted(endpoint, status, reference));
    }
  }

  /** Entries that are no files, or whose names could lead elsewhere, are left out. */
  private static Optional<RemoteFile> file(Object entry) {
    if (!(entry instanceof Map<?, ?> map)
        || !"file".equals(map.get("type"))
        || !(map.get("path") instanceof String path)
        || !ModelReference.safe(path)
        || !(map.get("size") instanceof Number size)
        || size.longValue() < 0) {
      return Optional.empty();
    }
    Optional<String> sha256 = Optional.empty();
    if (map.get("lfs") instanceof Map<?, ?> lfs
        && lfs.get("oid") instanceof String oid
        && SHA256.matcher(oid).matches()) {
      sha256 = Optional.of(oid);
    }
    return Optional.of(new RemoteFile(path, size.longValue(), sha256));
  }

  private String name() {
    return reference.owner() + "/" + reference.repository();
  }

  @SuppressWarnings("NullAway") // the JDK's constructor takes null for "no query"
  private URI at(String path, @org.jspecify.annotations.Nullable String query) {
    try {
      String base = endpoint.getPath() == null ? "" : endpoint.getPath().replaceAll("/+$", "");
      return new URI(endpoint.getScheme(), endpoint.getAuthority(), base + path, query, null);
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException("%s: %s".formatted(path, e.getReason()), e);
    }
  }
}
