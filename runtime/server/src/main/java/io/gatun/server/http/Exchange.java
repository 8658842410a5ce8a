package io.gatun.server.http;

import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonWriter;
import io.gatun.server.http.ApiException.Reason;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A request and its answer. For one thread. */
public final class Exchange {
  /** No request of any interface lies deeper; schemas inside may. */
  private static final int DEPTH_MAX = 100;

  private static final HeaderName NO_BUFFERING = HeaderNames.create("X-Accel-Buffering");

  private final ServerRequest request;
  private final ServerResponse response;
  private final SlowClients clients;
  private final int bodyBytesMax;
  private @Nullable ReplyStream stream;

  public Exchange(
      ServerRequest request, ServerResponse response, SlowClients clients, int bodyBytesMax) {
    this.request = request;
    this.response = response;
    this.clients = clients;
    this.bodyBytesMax = bodyBytesMax;
  }

  /** The path, decoded. */
  public String path() {
    return request.path().path();
  }

  /** What stands behind the endpoint's path, decoded. */
  public String name(Endpoint endpoint) {
    return path().substring(endpoint.path().length() - 1);
  }

  public Optional<String> header(String name) {
    return request.headers().first(HeaderNames.create(name));
  }

  /** A parameter behind the path's question mark. */
  public Optional<String> query(String name) {
    return request.query().contains(name)
        ? Optional.of(request.query().get(name))
        : Optional.empty();
  }

  /**
   * The fields of the body.
   *
   * @throws ApiException when it is no JSON object, or too long
   */
  public Fields body() {
    String text = text();
    if (text.isBlank()) {
      throw ApiException.of(Reason.INVALID, "the body is empty; a JSON object is expected");
    }
    try {
      return Fields.of(JsonReader.read(text, DEPTH_MAX, bodyBytesMax));
    } catch (io.gatun.model.json.JsonException e) {
      throw ApiException.of(Reason.INVALID, "the body is no JSON: " + e.getMessage())
          .withCode("invalid_json");
    }
  }

  private String text() {
    byte[] bytes = clients.read(this::bytes);
    if (bytes.length > bodyBytesMax) {
      throw ApiException.of(
          Reason.TOO_LARGE, "the body is longer than %d bytes".formatted(bodyBytesMax));
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw ApiException.of(Reason.INVALID, "the body is not UTF-8");
    }
  }

  private byte[] bytes() throws IOException {
    try (InputStream in = request.content().inputStream()) {
      return in.readNBytes(bodyBytesMax + 1);
    }
  }

  /** Sends JSON as the whole answer. */
  public void send(JsonValue body) {
    send(200, body);
  }

  void send(int status, JsonValue body) {
    send(status, "application/json", JsonWriter.write(body).getBytes(StandardCharsets.UTF_8));
  }

  /** Sends bytes as the whole answer. */
  public void send(int status, String type, byte[] bytes) {
    response.status(status);
    response.header(HeaderNames.CONTENT_TYPE, type);
    clients.write(() -> response.send(bytes));
  }

  /** With a further header in the answer. */
  public Exchange withHeader(String name, String value) {
    response.header(HeaderNames.create(name), value);
    return this;
  }

  /** Begins an answer of server-sent events. */
  public ReplyStream events() {
    return stream("text/event-stream", false);
  }

  /** Begins an answer of lines of JSON. */
  public ReplyStream lines() {
    return stream("application/x-ndjson", true);
  }

  private ReplyStream stream(String type, boolean lines) {
    response.header(HeaderNames.CONTENT_TYPE, type);
    response.header(HeaderNames.CACHE_CONTROL, "no-cache");
    response.header(NO_BUFFERING, "no");
    ReplyStream begun = new ReplyStream(response.outputStream(), lines, clients);
    stream = begun;
    return begun;
  }

  /** Calls {@code gone} from another thread if the client leaves before the result is closed. */
  public Watch watch(Runnable gone) {
    return WatchedConnections.current().watch(gone)::close;
  }

  /** An interest in whether the client is still there. */
  public interface Watch extends AutoCloseable {
    @Override
    void close();
  }

  /** Tells a failure, as the last event if the answer has begun. */
  void fail(ApiException failure, ErrorForm form) {
    JsonValue body = form.body(failure);
    if (stream != null) {
      try (ReplyStream begun = stream) {
        begun.failure(body);
      }
      return;
    }
    if (failure.reason() == Reason.BUSY || failure.reason() == Reason.UNAVAILABLE) {
      response.header(HeaderNames.RETRY_AFTER, "1");
    }
    send(failure.reason().status(), body);
  }
}
