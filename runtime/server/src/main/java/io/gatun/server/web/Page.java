package io.gatun.server.web;

import io.gatun.server.http.Endpoint;
import io.gatun.server.http.ErrorForm;
import io.gatun.server.http.Exchange;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;

/**
 * A file of the chat page, which is complete in itself: it asks nobody but this server. Its texts
 * are not secret, so it needs no key; what it asks for does.
 */
public final class Page implements Endpoint {
  /** Scripts and styles of this server alone, nothing inline, and no page around it. */
  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self';"
          + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

  private final String path;
  private final String type;
  private final byte[] content;
  private final ErrorForm errors;

  private Page(String path, String file, String type, ErrorForm errors) {
    this.path = path;
    this.type = type;
    this.errors = errors;
    try (InputStream in = Page.class.getResourceAsStream(file)) {
      if (in == null) {
        throw new IllegalStateException("this build has no " + file);
      }
      this.content = in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** All files of the page. */
  public static List<Endpoint> all(ErrorForm errors) {
    String script = "text/javascript; charset=utf-8";
    return List.of(
        new Page("/", "chat.html", "text/html; charset=utf-8", errors),
        new Page("/chat.css", "chat.css", "text/css; charset=utf-8", errors),
        new Page("/chat.js", "chat.js", script, errors),
        new Page("/events.js", "events.js", script, errors),
        new Page("/markdown.js", "markdown.js", script, errors));
  }

  @Override
  public String method() {
    return "GET";
  }

  @Override
  public String path() {
    return path;
  }

  @Override
  public boolean open() {
    return true;
  }

  @Override
  public boolean computes() {
    return false;
  }

  @Override
  public ErrorForm errors() {
    return errors;
  }

  @Override
  public void answer(Exchange exchange) {
    exchange
        .withHeader("Content-Security-Policy", POLICY)
        .withHeader("X-Content-Type-Options", "nosniff")
        .withHeader("Referrer-Policy", "no-referrer")
        .withHeader("Cache-Control", "no-cache")
        .send(200, type, content);
  }
}
