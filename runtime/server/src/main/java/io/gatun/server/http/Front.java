package io.gatun.server.http;

import io.gatun.engine.QueueFullException;
import io.gatun.model.json.JsonException;
import io.gatun.server.http.ApiException.Reason;
import io.gatun.tensor.CapacityException;
import io.helidon.http.HeaderNames;
import io.helidon.http.RequestException;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Optional;

/** Where requests arrive: who may pass, who answers, and what a failure looks like. */
public final class Front implements Handler {
  private static final System.Logger LOG = System.getLogger("io.gatun.server");

  private final List<Endpoint> endpoints;
  private final Rules rules;
  private final SlowClients clients;
  private final ErrorForm errors;
  private final Answered answered;

  /**
   * What is checked before anything is read.
   *
   * @param bodyBytesMax the longest body
   */
  public record Rules(ApiKeys keys, Origins origins, Admission admission, int bodyBytesMax) {}

  /**
   * @param errors for addresses that do not exist
   * @param answered is told of every answer
   */
  public Front(
      List<Endpoint> endpoints,
      Rules rules,
      SlowClients clients,
      ErrorForm errors,
      Answered answered) {
    this.endpoints = List.copyOf(endpoints);
    this.rules = rules;
    this.clients = clients;
    this.errors = errors;
    this.answered = answered;
  }

  /** Who counts answers. */
  @FunctionalInterface
  public interface Answered {
    /**
     * An answer was sent, or its client left.
     *
     * @param path of the endpoint; empty where there is none
     */
    void answered(String path, int status);
  }

  @Override
  public void handle(ServerRequest request, ServerResponse response) throws Exception {
    Exchange exchange = new Exchange(request, response, clients, rules.bodyBytesMax());
    String path = exchange.path();
    Optional<Endpoint> endpoint = endpoints.stream().filter(e -> fits(e, path)).findFirst();
    ErrorForm form = endpoint.map(Endpoint::errors).orElse(errors);
    try {
      answer(exchange, request.prologue().method().text());
    } catch (ApiException e) {
      exchange.fail(e, form);
    } catch (ClientGoneException e) {
      throw new CloseConnectionException("the client has gone", e);
    } catch (RequestException e) {
      throw e; // broken HTTP: the web server knows what to answer
    } catch (RuntimeException | IOException e) {
      if (Thread.currentThread().isInterrupted()) {
        throw new CloseConnectionException("the server ends", e);
      }
      exchange.fail(failure(e, path), form);
    } finally {
      answered.answered(endpoint.map(Endpoint::path).orElse(""), response.status().code());
    }
  }

  private void answer(Exchange exchange, String method) throws IOException, InterruptedException {
    Optional<String> origin =
        rules
            .origins()
            .check(
                exchange.header(HeaderNames.HOST_NAME).orElse(""),
                exchange.header(HeaderNames.ORIGIN_NAME));
    origin.ifPresent(o ->
        exchange
            .withHeader(HeaderNames.ACCESS_CONTROL_ALLOW_ORIGIN_NAME, o)
            .withHeader(HeaderNames.VARY_NAME, HeaderNames.ORIGIN_NAME));
    if (method.equals("OPTIONS") && origin.isPresent()) {
      allow(exchange);
      return;
    }
    Endpoint endpoint = find(method, exchange.path());
    if (!endpoint.open()) {
      rules
          .keys()
          .check(exchange.header(HeaderNames.AUTHORIZATION_NAME), exchange.header("x-api-key"));
    }
    if (endpoint.computes()) {
      try (Admission.Place _ = rules.admission().enter()) {
        endpoint.answer(exchange);
      }
    } else {
      endpoint.answer(exchange);
    }
  }

  /** What a browser asks before it lets a page ask. */
  private static void allow(Exchange exchange) {
    exchange
        .withHeader(HeaderNames.ACCESS_CONTROL_ALLOW_METHODS_NAME, "GET, POST, DELETE")
        .withHeader(
            HeaderNames.ACCESS_CONTROL_ALLOW_HEADERS_NAME,
            "authorization, content-type, x-api-key, anthropic-version")
        .withHeader(HeaderNames.ACCESS_CONTROL_MAX_AGE_NAME, "600")
        .send(200, "text/plain", new byte[0]);
  }

  private Endpoint find(String method, String path) {
    boolean known = false;
    for (Endpoint endpoint : endpoints) {
      if (fits(endpoint, path)) {
        if (endpoint.method().equals(method)) {
          return endpoint;
        }
        known = true;
      }
    }
    throw known
        ? ApiException.of(Reason.WRONG_METHOD, "%s is not asked with %s".formatted(path, method))
        : ApiException.of(Reason.NOT_FOUND, "there is nothing at " + path).withCode("not_found");
  }

  private static boolean fits(Endpoint endpoint, String path) {
    String known = endpoint.path();
    return known.endsWith("/*")
        ? path.length() > known.length() - 1
            && path.startsWith(known.substring(0, known.length() - 1))
        : known.equals(path);
  }

  /** What the client is told of a failure; what is not meant for it only goes to the log. */
  private static ApiException failure(Exception e, String path) {
    return switch (e) {
      case JsonException json -> ApiException.of(Reason.INVALID, String.valueOf(json.getMessage()));
      case QueueFullException busy ->
          ApiException.of(Reason.BUSY, String.valueOf(busy.getMessage()));
      case CapacityException full ->
          ApiException.of(Reason.UNAVAILABLE, String.valueOf(full.getMessage()));
      default -> {
        LOG.log(Level.ERROR, "the answer to " + path + " failed", e);
        yield ApiException.of(Reason.FAILED, "the server failed to answer; its log has the reason");
      }
    };
  }
}
