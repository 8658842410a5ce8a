package io.gatun.model.template;

import java.io.Serial;

/** What goes wrong inside a template, on its way to where the line is known. */
final class Fault extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  private final boolean raisedByTemplate;

  Fault(String message) {
    this(message, false);
  }

  Fault(String message, boolean raisedByTemplate) {
    super(message, null, false, false);
    this.raisedByTemplate = raisedByTemplate;
  }

  boolean raisedByTemplate() {
    return raisedByTemplate;
  }
}
