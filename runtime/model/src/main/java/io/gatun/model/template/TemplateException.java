package io.gatun.model.template;

import io.gatun.bindings.GatunException;
import java.io.Serial;

/** A template that cannot be parsed or rendered: the message names the line and what went wrong. */
public final class TemplateException extends GatunException {
  @Serial private static final long serialVersionUID = 1L;

  private final int line;
  private final boolean raisedByTemplate;

  TemplateException(int line, Fault fault) {
    super("template, line %d: %s".formatted(line, fault.getMessage()), fault);
    this.line = line;
    this.raisedByTemplate = fault.raisedByTemplate();
  }

  /** The line of the template, from 1. */
  public int line() {
    return line;
  }

  /** Whether the template itself refused its input by calling {@code raise_exception}. */
  public boolean raisedByTemplate() {
    return raisedByTemplate;
  }
}
