package io.gatun.server.http;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The keys of which a request needs one. How long a comparison takes tells nothing about a key:
 * digests are compared, all of them, to their ends.
 */
public final class ApiKeys {
  private final List<byte[]> digests;

  /**
   * @param keys none for a server that everyone may ask
   */
  public ApiKeys(List<String> keys) {
    for (String key : keys) {
      if (key.isBlank()) {
        throw new IllegalArgumentException("an API key must not be empty");
      }
    }
    this.digests = keys.stream().map(ApiKeys::digest).toList();
  }

  /**
   * Lets a request pass, or not.
   *
   * @param authorization the header {@code Authorization}, with {@code Bearer} before the key
   * @param key the header {@code x-api-key}, in Anthropic's interface
   * @throws ApiException when there are keys, and this is none of them
   */
  void check(Optional<String> authorization, Optional<String> key) {
    if (digests.isEmpty()) {
      return;
    }
    Optional<String> given = authorization.flatMap(ApiKeys::bearer).or(() -> key);
    if (given.isEmpty()) {
      throw refused("an API key is needed: send it as \"Authorization: Bearer KEY\"");
    }
    byte[] digest = digest(given.get());
    boolean known = false;
    for (byte[] other : digests) {
      known |= MessageDigest.isEqual(digest, other);
    }
    if (!known) {
      throw refused("the API key is wrong");
    }
  }

  private static ApiException refused(String message) {
    return ApiException.of(ApiException.Reason.UNAUTHORIZED, message).withCode("invalid_api_key");
  }

  private static Optional<String> bearer(String header) {
    String scheme = "bearer ";
    return header.toLowerCase(Locale.ROOT).startsWith(scheme)
        ? Optional.of(header.substring(scheme.length()).strip())
        : Optional.empty();
  }

  private static byte[] digest(String key) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
