package io.gatun.hub;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Fetches one file. What has arrived lies in {@code NAME.part} and stays when a download fails or
 * the process ends; the next one asks for the rest, if the content is still the same. The file
 * itself appears by one atomic move, after its size and checksum were found right.
 */
final class Download {
  private static final int BUFFER_BYTES = 1 << 20;
  private static final Pattern RANGE = Pattern.compile("bytes (\\d+)-\\d+/(\\d+|\\*)");

  /** Room that is left for others on a disk. */
  private static final long SPARE_BYTES = 64 << 20;

  private final Web web;
  private final HubOptions options;
  private final DownloadListener listener;

  Download(Web web, HubOptions options, DownloadListener listener) {
    this.web = web;
    this.options = options;
    this.listener = listener;
  }

  /**
   * Fetches a file to where none is.
   *
   * @param bytes its size, or -1 for one that is not known
   * @param sha256 its checksum, where it is known
   * @return the checksum of what was fetched
   * @throws HubException when it cannot be had, or is not what was expected
   */
  String fetch(URI uri, Path target, long bytes, Optional<String> sha256) {
    PartFile part = new PartFile(target, sha256);
    try {
      Files.createDirectories(part.folder());
      part.keepIfUsable();
      complete(uri, part, bytes);
      String actual = Sha256.of(part.file());
      if (sha256.isPresent() && !sha256.get().equals(actual)) {
        part.delete();
        throw new HubException(
            "%s: the content's SHA-256 is %s, expected %s; what was fetched is deleted, pull again"
                .formatted(uri, actual, sha256.get()));
      }
      Files.move(
          part.file(), target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      part.delete();
      return actual;
    } catch (IOException e) {
      throw new HubException(
          "cannot fetch %s: %s; pull again to go on from here".formatted(uri, reason(e)), e);
    }
  }

  /** Tries until the part is whole; an attempt that brought something does not count. */
  private void complete(URI uri, PartFile part, long bytes) throws IOException {
    int failures = 0;
    while (true) {
      long before = part.bytes();
      try {
        attempt(uri, part, bytes);
        return;
      } catch (IOException e) {
        failures = part.bytes() > before ? 1 : failures + 1;
        if (failures >= options.attempts() || Thread.currentThread().isInterrupted()) {
          throw e;
        }
        listener.note("%s: %s; trying again".formatted(part.name(), reason(e)));
        pause(failures);
      }
    }
  }

  private void attempt(URI uri, PartFile part, long bytes) throws IOException {
    long have = part.bytes();
    if (have > 0 && have == bytes) {
      return;
    }
    Map<String, String> headers = new HashMap<>();
    if (have > 0) {
      headers.put("Range", "bytes=%d-".formatted(have));
      part.etag().ifPresent(tag -> headers.put("If-Range", tag));
    }
    HttpResponse<InputStream> answer = web.get(uri, headers);
    try (InputStream body = answer.body()) {
      long from = start(uri, answer, part, have);
      long total = total(uri, answer, from, bytes);
      requireRoom(part, total - from);
      receive(uri, body, part, from, total);
    }
  }

  /** Where the body begins in the file. */
  private static long start(URI uri, HttpResponse<?> answer, PartFile part, long have)
      throws IOException {
    int status = answer.statusCode();
    switch (status) {
      case 206 -> {
        Matcher range = RANGE.matcher(answer.headers().firstValue("Content-Range").orElse(""));
        if (!range.matches() || Long.parseLong(range.group(1)) != have) {
          part.delete();
          throw new IOException("the server sends another range than asked for");
        }
        return have;
      }
      case 200 -> {
        part.begin(answer.headers().firstValue("ETag"));
        return 0;
      }
      case 416 -> {
        part.delete();
        throw new IOException("the file has changed since its download began");
      }
      case 401, 403 ->
          throw new HubException(
              "%s may not be read (HTTP %d); if it is private or has terms to accept, accept them and set HF_TOKEN"
                  .formatted(uri, status));
      case 404, 410 -> throw new HubException("%s does not exist (HTTP %d)".formatted(uri, status));
      default -> {
        if (status >= 500 || status == 429 || status == 408) {
          throw new IOException("the server answers HTTP " + status);
        }
        throw new HubException("%s: the server answers HTTP %d".formatted(uri, status));
      }
    }
  }

  private static long total(URI uri, HttpResponse<?> answer, long from, long bytes) {
    long length = answer.headers().firstValueAsLong("Content-Length").orElse(-1);
    long total = length < 0 ? bytes : from + length;
    if (bytes >= 0 && total != bytes) {
      throw new HubException(
          "%s: the server sends %d bytes, but lists %d".formatted(uri, total, bytes));
    }
    return total;
  }

  private static void requireRoom(PartFile part, long bytes) throws IOException {
    long free = Files.getFileStore(part.folder()).getUsableSpace();
    if (bytes > 0 && free > 0 && free - SPARE_BYTES < bytes) {
      throw new HubException(
          "%s needs %d MB more, but the disk of %s has %d MB free; remove models (gatun rm) or set GATUN_CACHE_DIR"
              .formatted(part.name(), bytes >> 20, part.folder(), free >> 20));
    }
  }

  private void receive(URI uri, InputStream body, PartFile part, long from, long total)
      throws IOException {
    try (FileChannel out =
            FileChannel.open(part.file(), StandardOpenOption.WRITE, StandardOpenOption.CREATE);
        StallWatch watch = new StallWatch(body, options.stall())) {
      out.truncate(from);
      out.position(from);
      byte[] buffer = new byte[BUFFER_BYTES];
      long at = from;
      while (true) {
        int read = watch.read(buffer);
        if (read < 0) {
          break;
        }
        if (at == 0) {
          requireModel(uri, buffer, read);
        }
        ByteBuffer bytes = ByteBuffer.wrap(buffer, 0, read);
        while (bytes.hasRemaining()) {
          var _ = out.write(bytes);
        }
        at += read;
        listener.at(part.name(), at, total);
      }
      out.force(true);
      if (total >= 0 && at != total) {
        throw new EOFException("the connection ended after %d of %d bytes".formatted(at, total));
      }
    }
  }

  /** A page that asks for a login should not become a model. */
  private static void requireModel(URI uri, byte[] bytes, int count) {
    boolean gguf =
        count >= 4 && bytes[0] == 'G' && bytes[1] == 'G' && bytes[2] == 'U' && bytes[3] == 'F';
    if (!gguf) {
      throw new HubException(
          "%s is no GGUF file: it begins with %s"
              .formatted(uri, Sha256.hex(bytes, Math.min(4, count))));
    }
  }

  private void pause(int failures) throws IOException {
    try {
      Thread.sleep(options.firstPause().multipliedBy(1L << Math.min(failures - 1, 6)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  /** Why, for exceptions whose messages say nothing. */
  static String reason(Throwable failure) {
    for (Throwable f = failure; f != null; f = f.getCause()) {
      if (f instanceof UnresolvedAddressException) {
        return "the host's name is not known";
      }
    }
    if (failure instanceof ConnectException) {
      return "no connection";
    }
    return failure.getMessage() == null ? failure.getClass().getSimpleName() : failure.getMessage();
  }
}
