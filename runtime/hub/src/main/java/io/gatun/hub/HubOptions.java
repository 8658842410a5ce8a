package io.gatun.hub;

import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * How the hub is reached.
 *
 * @param endpoint the hub's address, to which its paths are appended
 * @param token sent to that host alone
 * @param attempts without progress before a download is given up; what was fetched stays
 * @param firstPause before the second attempt; doubled with each
 * @param stall how long a connection may give nothing
 */
public record HubOptions(
    URI endpoint, Optional<String> token, int attempts, Duration firstPause, Duration stall) {
  private static final String ENDPOINT = "https://huggingface.co";

  public HubOptions {
    boolean web = "https".equals(endpoint.getScheme()) || "http".equals(endpoint.getScheme());
    if (!web || endpoint.getHost() == null) {
      throw new IllegalArgumentException(
          "the hub's endpoint %s is no http or https address".formatted(endpoint));
    }
    if (attempts < 1 || firstPause.isNegative() || !stall.isPositive()) {
      throw new IllegalArgumentException(
          "attempts %d, pause %s, stall %s: expected at least 1, 0 and more than 0"
              .formatted(attempts, firstPause, stall));
    }
  }

  /**
   * {@code GATUN_HUB_ENDPOINT} or {@code HF_ENDPOINT} for another hub, {@code HF_TOKEN} for what
   * only some may read.
   */
  public static HubOptions ofEnvironment(Map<String, String> environment) {
    String endpoint =
        environment.getOrDefault(
            "GATUN_HUB_ENDPOINT", environment.getOrDefault("HF_ENDPOINT", ENDPOINT));
    URI uri;
    try {
      uri = URI.create(endpoint);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "the hub's endpoint %s is no address: %s".formatted(endpoint, e.getMessage()), e);
    }
    return new HubOptions(
        uri,
        Optional.ofNullable(environment.get("HF_TOKEN")).filter(t -> !t.isBlank()),
        5,
        Duration.ofSeconds(1),
        Duration.ofSeconds(60));
  }

  /** With another address of the hub. */
  public HubOptions withEndpoint(URI other) {
    return new HubOptions(other, token, attempts, firstPause, stall);
  }

  /** With other patience. */
  public HubOptions withPatience(int newAttempts, Duration pause, Duration newStall) {
    return new HubOptions(endpoint, token, newAttempts, pause, newStall);
  }
}
