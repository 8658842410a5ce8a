package io.gatun.server.http;

import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * An answer that is sent piece by piece, each at once.
 *
 * @source HTML Living Standard, 9.2 Server-sent events
 */
public final class ReplyStream implements AutoCloseable {
  private final OutputStream out;
  private final boolean lines;
  private final SlowClients clients;

  ReplyStream(OutputStream out, boolean lines, SlowClients clients) {
    this.out = out;
    this.lines = lines;
    this.clients = clients;
  }

  /** Sends an event without a name. */
  public void event(JsonValue data) {
    send("data: " + JsonWriter.write(data) + "\n\n");
  }

  /** Sends an event with a name. */
  public void event(String name, JsonValue data) {
    send("event: " + name + "\ndata: " + JsonWriter.write(data) + "\n\n");
  }

  /** Sends OpenAI's last event. */
  public void done() {
    send("data: [DONE]\n\n");
  }

  /** Sends a line of JSON. */
  public void line(JsonValue value) {
    send(JsonWriter.write(value) + "\n");
  }

  /** Tells what went wrong. */
  void failure(JsonValue body) {
    if (lines) {
      line(body);
    } else {
      event("error", body);
    }
  }

  private void send(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    clients.write(() -> {
      out.write(bytes);
      out.flush();
    });
  }

  @Override
  public void close() {
    try {
      out.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
