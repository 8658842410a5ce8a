package io.gatun.server;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Where a server listens, and what it allows.
 *
 * @param host the address to listen at; only this machine can reach {@code 127.0.0.1}
 * @param port 0 for any that is free
 * @param apiKeys of which a request needs one; none for a server that everyone may ask
 * @param corsOrigins web pages of others that may ask, such as {@code https://example.org}
 * @param bodyBytesMax the longest request
 * @param promptTokensMax the longest prompt, whatever a model's context holds
 * @param requestsMax how many requests are answered at once
 * @param writeMax how long a client may take to read a piece of its answer, or to send its request
 * @param drainMax how long running answers may take to end when the server closes
 * @param adapterFolder whose adapters requests may load; none of them may without it
 */
public record ServerOptions(
    String host,
    int port,
    List<String> apiKeys,
    List<String> corsOrigins,
    int bodyBytesMax,
    int promptTokensMax,
    int requestsMax,
    Duration writeMax,
    Duration drainMax,
    Optional<Path> adapterFolder) {
  public ServerOptions {
    apiKeys = List.copyOf(apiKeys);
    corsOrigins = List.copyOf(corsOrigins);
    if (port < 0 || port > 65535) {
      throw new IllegalArgumentException("the port must be 0 to 65535, got " + port);
    }
    require("bodyBytesMax", bodyBytesMax);
    require("promptTokensMax", promptTokensMax);
    require("requestsMax", requestsMax);
    if (!writeMax.isPositive() || drainMax.isNegative()) {
      throw new IllegalArgumentException(
          "writing %s, draining %s: expected more than 0 and at least 0"
              .formatted(writeMax, drainMax));
    }
  }

  private static void require(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException("%s must be at least 1, got %d".formatted(name, value));
    }
  }

  /** Port 8080 of this machine alone, without keys: 8 MiB of body, 64 requests at once. */
  public static ServerOptions defaults() {
    return new ServerOptions(
        "127.0.0.1",
        8080,
        List.of(),
        List.of(),
        8 << 20,
        Integer.MAX_VALUE,
        64,
        Duration.ofSeconds(30),
        Duration.ofSeconds(30),
        Optional.empty());
  }

  public ServerOptions withAddress(String otherHost, int otherPort) {
    return new ServerOptions(
        otherHost,
        otherPort,
        apiKeys,
        corsOrigins,
        bodyBytesMax,
        promptTokensMax,
        requestsMax,
        writeMax,
        drainMax,
        adapterFolder);
  }

  public ServerOptions withApiKeys(List<String> keys) {
    return new ServerOptions(
        host,
        port,
        keys,
        corsOrigins,
        bodyBytesMax,
        promptTokensMax,
        requestsMax,
        writeMax,
        drainMax,
        adapterFolder);
  }

  public ServerOptions withCorsOrigins(List<String> origins) {
    return new ServerOptions(
        host,
        port,
        apiKeys,
        origins,
        bodyBytesMax,
        promptTokensMax,
        requestsMax,
        writeMax,
        drainMax,
        adapterFolder);
  }

  public ServerOptions withLimits(int bodyBytes, int promptTokens, int requests) {
    return new ServerOptions(
        host,
        port,
        apiKeys,
        corsOrigins,
        bodyBytes,
        promptTokens,
        requests,
        writeMax,
        drainMax,
        adapterFolder);
  }

  public ServerOptions withPatience(Duration writing, Duration draining) {
    return new ServerOptions(
        host,
        port,
        apiKeys,
        corsOrigins,
        bodyBytesMax,
        promptTokensMax,
        requestsMax,
        writing,
        draining,
        adapterFolder);
  }

  public ServerOptions withAdapterFolder(Path folder) {
    return new ServerOptions(
        host,
        port,
        apiKeys,
        corsOrigins,
        bodyBytesMax,
        promptTokensMax,
        requestsMax,
        writeMax,
        drainMax,
        Optional.of(folder));
  }
}
