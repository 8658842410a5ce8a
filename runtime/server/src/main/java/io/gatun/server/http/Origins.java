package io.gatun.server.http;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * Which web pages may ask. A page that a browser shows may not use a server on the same machine
 * behind its user's back: not by a request to it ({@code Origin} is checked), nor by a name of its
 * own that suddenly means this machine ({@code Host} is checked, where only this machine is
 * served).
 */
public final class Origins {
  private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1", "[::1]");

  private final String host;
  private final boolean loopbackOnly;
  private final List<String> allowed;

  /**
   * @param host the address that the server listens at, as it was given
   * @param loopbackOnly whether that is for this machine alone
   * @param allowed origins of pages that may ask, such as {@code https://example.org}; {@code *}
   *     for all
   */
  public Origins(String host, boolean loopbackOnly, List<String> allowed) {
    this.host = host.toLowerCase(Locale.ROOT);
    this.loopbackOnly = loopbackOnly;
    this.allowed = allowed.stream().map(o -> o.toLowerCase(Locale.ROOT)).toList();
  }

  /**
   * Lets a request pass, or not.
   *
   * @param asked the header {@code Host}
   * @return the origin of a page of somebody else's that may read the answer
   */
  Optional<String> check(String asked, Optional<String> origin) {
    String name = withoutPort(asked.toLowerCase(Locale.ROOT));
    if (loopbackOnly && !LOOPBACK.contains(name) && !name.equals(host)) {
      throw refused(
          "this server is for its own machine; it answers as localhost and 127.0.0.1 only");
    }
    if (origin.isEmpty() || own(origin.get(), asked)) {
      return Optional.empty();
    }
    if (allowed.contains("*") || allowed.contains(origin.get().toLowerCase(Locale.ROOT))) {
      return origin;
    }
    throw refused("pages of this origin may not ask; start the server with --cors to let them");
  }

  private static boolean own(String origin, String host) {
    return origin.equalsIgnoreCase("http://" + host) || origin.equalsIgnoreCase("https://" + host);
  }

  private static String withoutPort(String host) {
    int colon = host.lastIndexOf(':');
    return colon > host.lastIndexOf(']') ? host.substring(0, colon) : host;
  }

  private static ApiException refused(String message) {
    return ApiException.of(ApiException.Reason.FORBIDDEN, message);
  }
}
