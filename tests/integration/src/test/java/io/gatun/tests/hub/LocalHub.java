package io.gatun.tests.hub;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A hub on this machine, with one repository {@code owner/repo}, that answers ranges and fails as
 * it is told: drops connections, answers errors, ignores ranges, lies about checksums.
 */
public final class LocalHub implements AutoCloseable {
  private final HttpServer server;
  private final Map<String, byte[]> files = new LinkedHashMap<>();
  private final Map<String, String> listedSums = new ConcurrentHashMap<>();

  /** Every request for content, as {@code PATH RANGE}. */
  final List<String> asked = Collections.synchronizedList(new ArrayList<>());

  /** Of each request, what was sent as authorization, by the host that it was sent to. */
  final List<String> authorized = Collections.synchronizedList(new ArrayList<>());

  final AtomicInteger failures = new AtomicInteger(); // so many answers are HTTP 503
  volatile int dropAfter = -1; // bytes after which connections end, once
  volatile boolean ranges = true;
  volatile boolean redirect;
  volatile boolean checksums = true;
  volatile String etag = "\"one\"";
  volatile int perPage = 100;

  public LocalHub() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/api/models/owner/repo/tree/", this::list);
    server.createContext("/owner/repo/resolve/", this::content);
    server.createContext("/cdn/", this::content);
    server.start();
  }

  public URI endpoint() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  public void put(String path, byte[] content) {
    files.put(path, content);
  }

  /** The listing says this checksum, whatever is true. */
  void lie(String path, String sha256) {
    listedSums.put(path, sha256);
  }

  static String sha256(byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (java.security.NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  private void list(HttpExchange exchange) throws IOException {
    String query = String.valueOf(exchange.getRequestURI().getQuery());
    int from = query.contains("page=") ? Integer.parseInt(query.replaceAll(".*page=", "")) : 0;
    List<String> entries = new ArrayList<>();
    entries.add("{\"type\":\"directory\",\"path\":\"folder\",\"size\":0}");
    files.forEach((path, content) -> {
      String sum = listedSums.getOrDefault(path, sha256(content));
      entries.add(
          "{\"type\":\"file\",\"path\":\"%s\",\"size\":%d%s}"
              .formatted(
                  path,
                  content.length,
                  checksums ? ",\"lfs\":{\"oid\":\"%s\"}".formatted(sum) : ""));
    });
    int to = Math.min(entries.size(), from + perPage);
    if (to < entries.size()) {
      String next = exchange.getRequestURI().getPath() + "?page=" + to;
      exchange.getResponseHeaders().add("Link", "<%s>; rel=\"next\"".formatted(next));
    }
    byte[] body =
        ("[" + String.join(",", entries.subList(from, to)) + "]").getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(200, body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }

  private void content(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    var headers = exchange.getRequestHeaders();
    authorized.add(headers.getFirst("Host") + " " + headers.getFirst("Authorization"));
    if (redirect && path.startsWith("/owner")) {
      String elsewhere =
          "http://localhost:%d/cdn/%s"
              .formatted(
                  server.getAddress().getPort(), path.substring(path.lastIndexOf("main/") + 5));
      exchange.getResponseHeaders().add("Location", elsewhere);
      exchange.sendResponseHeaders(302, -1);
      exchange.close();
      return;
    }
    String name = path.replaceFirst("/cdn/|/owner/repo/resolve/[^/]+/", "");
    String range = headers.getFirst("Range");
    asked.add(name + " " + range);
    byte[] all = files.get(name);
    if (all == null || failures.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
      exchange.sendResponseHeaders(all == null ? 404 : 503, -1);
      exchange.close();
      return;
    }
    send(exchange, all, range, headers.getFirst("If-Range"));
  }

  private void send(HttpExchange exchange, byte[] all, String range, String ifRange)
      throws IOException {
    boolean part = ranges && range != null && (ifRange == null || ifRange.equals(etag));
    int from = part ? Integer.parseInt(range.replaceAll("\\D", "")) : 0;
    exchange.getResponseHeaders().add("ETag", etag);
    if (part) {
      exchange
          .getResponseHeaders()
          .add("Content-Range", "bytes %d-%d/%d".formatted(from, all.length - 1, all.length));
    }
    exchange.sendResponseHeaders(part ? 206 : 200, all.length - from);
    int end = dropAfter >= 0 ? Math.min(all.length, from + dropAfter) : all.length;
    dropAfter = -1;
    exchange.getResponseBody().write(Arrays.copyOfRange(all, from, end));
    exchange.getResponseBody().flush();
    exchange.close();
  }

  /** From now on nobody answers. */
  public void stop() {
    server.stop(0);
  }

  @Override
  public void close() {
    stop();
  }
}
