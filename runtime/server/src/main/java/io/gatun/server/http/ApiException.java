package io.gatun.server.http;

import java.io.Serial;
import java.util.Optional;

/** A request that is refused: why, and with which status. What it says is shown to the client. */
public final class ApiException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  /** Why requests are refused. */
  public enum Reason {
    INVALID(400),
    UNAUTHORIZED(401),
    FORBIDDEN(403),
    NOT_FOUND(404),
    WRONG_METHOD(405),
    CONFLICT(409),
    TOO_LARGE(413),
    BUSY(429),
    FAILED(500),
    UNAVAILABLE(503);

    private final int status;

    Reason(int status) {
      this.status = status;
    }

    /** HTTP's number for it. */
    public int status() {
      return status;
    }
  }

  private final Reason reason;
  private final String field;
  private final String code;

  private ApiException(Reason reason, String field, String code, String message) {
    super(message, null, false, false); // expected, and the client's doing: no stack
    this.reason = reason;
    this.field = field;
    this.code = code;
  }

  public static ApiException of(Reason reason, String message) {
    return new ApiException(reason, "", "", message);
  }

  /** A field of the request that is not as it should be; the message says how it should be. */
  public static ApiException field(String path, String message) {
    return new ApiException(Reason.INVALID, path, "", path + ": " + message);
  }

  /** With a word that programs can tell cases apart by. */
  public ApiException withCode(String word) {
    return new ApiException(reason, field, word, String.valueOf(getMessage()));
  }

  public Reason reason() {
    return reason;
  }

  /** The field that is to blame, such as {@code messages[0].role}. */
  public Optional<String> field() {
    return field.isEmpty() ? Optional.empty() : Optional.of(field);
  }

  public Optional<String> code() {
    return code.isEmpty() ? Optional.empty() : Optional.of(code);
  }

  /** What went wrong; never null. */
  public String message() {
    return String.valueOf(getMessage());
  }
}
