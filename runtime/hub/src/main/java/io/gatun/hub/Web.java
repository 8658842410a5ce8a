package io.gatun.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * Requests that follow redirections by hand, so that a token is sent to the host it was given for
 * and to no other. Thread-safe.
 */
final class Web implements AutoCloseable {
  private static final int REDIRECTIONS_MAX = 10;

  private final HttpClient client;
  private final Optional<String> token;
  private final String tokenHost;

  /**
   * @param token sent as a bearer to {@code tokenHost} alone
   */
  Web(Optional<String> token, String tokenHost, Duration connectTimeout) {
    this.client =
        HttpClient.newBuilder()
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(connectTimeout)
            .build();
    this.token = token;
    this.tokenHost = tokenHost;
  }

  /**
   * Asks; the answer's body must be closed.
   *
   * @throws IOException when no answer comes
   */
  HttpResponse<InputStream> get(URI uri, Map<String, String> headers) throws IOException {
    URI at = uri;
    for (int i = 0; i <= REDIRECTIONS_MAX; i++) {
      HttpResponse<InputStream> answer = send(at, headers);
      Optional<String> next = answer.headers().firstValue("Location");
      if (answer.statusCode() / 100 != 3 || answer.statusCode() == 304 || next.isEmpty()) {
        return answer;
      }
      answer.body().close();
      at = redirected(at, next.get());
    }
    throw new IOException("%s redirects more than %d times".formatted(uri, REDIRECTIONS_MAX));
  }

  private static URI redirected(URI from, String location) throws IOException {
    URI to;
    try {
      to = from.resolve(location);
    } catch (IllegalArgumentException e) {
      throw new IOException("%s redirects to no address: %s".formatted(from, location), e);
    }
    boolean web = "https".equals(to.getScheme()) || "http".equals(to.getScheme());
    if (!web || ("https".equals(from.getScheme()) && !"https".equals(to.getScheme()))) {
      throw new IOException("%s redirects to %s, which is less safe".formatted(from, to));
    }
    return to;
  }

  private HttpResponse<InputStream> send(URI uri, Map<String, String> headers) throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(60)).header("User-Agent", "gatun");
    headers.forEach(request::header);
    if (token.isPresent() && uri.getAuthority().equals(tokenHost)) {
      request.header("Authorization", "Bearer " + token.get());
    }
    try {
      return client.send(request.build(), BodyHandlers.ofInputStream());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  @Override
  public void close() {
    client.shutdownNow();
  }
}
