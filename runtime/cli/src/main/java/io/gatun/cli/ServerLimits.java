package io.gatun.cli;

import io.gatun.server.ServerOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where a server listens, and what it allows. */
final class ServerLimits {
  @Option(
      names = "--host",
      paramLabel = "ADDRESS",
      description =
          "The address to listen at; 0.0.0.0 for all of this machine's (default: ${DEFAULT-VALUE},"
              + " this machine alone).")
  String host = "127.0.0.1";

  @Option(
      names = "--port",
      paramLabel = "N",
      description = "0 for any that is free (default: ${DEFAULT-VALUE}).")
  int port = 8080;

  @Option(
      names = "--api-key-file",
      paramLabel = "FILE",
      description = "Requests need one of the keys in this file, one a line.")
  @Nullable Path keys;

  @Option(
      names = "--cors",
      paramLabel = "ORIGIN",
      description = "Web pages of this origin may ask, * for all; repeatable.")
  List<String> cors = new ArrayList<>();

  @Option(
      names = "--max-body",
      paramLabel = "BYTES",
      description = "The longest request (default: ${DEFAULT-VALUE}).")
  String body = "8m";

  @Option(
      names = "--max-prompt",
      paramLabel = "N",
      description = "The longest prompt in tokens (default: what the context holds).")
  int prompt = Integer.MAX_VALUE;

  @Option(
      names = "--max-requests",
      paramLabel = "N",
      description =
          "Requests that are answered at once; others are told to come again (default:"
              + " ${DEFAULT-VALUE}).")
  int requests = ServerOptions.defaults().requestsMax();

  @Option(
      names = "--adapter-folder",
      paramLabel = "FOLDER",
      description = "Requests may load the adapters (GGUF) that lie right inside.")
  @Nullable Path adapters;

  @Option(
      names = "--drain",
      paramLabel = "SECONDS",
      description =
          "How long running answers may take when the server is stopped (default:"
              + " ${DEFAULT-VALUE}).")
  int drain = 30;

  ServerOptions options() throws IOException {
    ServerOptions defaults = ServerOptions.defaults();
    long bodyBytes = Sizes.bytes(body);
    if (bodyBytes < 1 || bodyBytes > 1 << 30) {
      throw new IllegalArgumentException("--max-body must be 1 to 1g, got " + body);
    }
    ServerOptions options = adapters == null ? defaults : defaults.withAdapterFolder(adapters);
    return options
        .withAddress(host, port)
        .withApiKeys(keys())
        .withCorsOrigins(cors)
        .withLimits((int) bodyBytes, prompt, requests)
        .withPatience(defaults.writeMax(), Duration.ofSeconds(drain));
  }

  private List<String> keys() throws IOException {
    if (keys == null) {
      return List.of();
    }
    List<String> lines =
        Files.readAllLines(keys).stream()
            .map(String::strip)
            .filter(line -> !line.isEmpty() && !line.startsWith("#"))
            .toList();
    if (lines.isEmpty()) {
      throw new IllegalArgumentException("%s has no key; put one in each line".formatted(keys));
    }
    return lines;
  }

  /** Whether others than this machine may use it without a key. */
  boolean exposed() throws IOException {
    return keys == null && !InetAddress.getByName(host).isLoopbackAddress();
  }
}
