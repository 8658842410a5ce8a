package io.gatun.cli;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.text.MessageFormat;
import java.util.ResourceBundle;
import org.jspecify.annotations.Nullable;

/**
 * Where log lines of Gatun and of the native libraries go in the command: to standard error with
 * {@code --verbose}, nowhere otherwise, because what matters in them is in the failure's one line.
 * The JDK's own logging would take longer to start than a model takes to map.
 */
public final class CommandLog extends System.LoggerFinder {
  private static volatile boolean verbose;

  /** For {@link java.util.ServiceLoader}. */
  public CommandLog() {}

  static void verbose(boolean on) {
    verbose = on;
  }

  @Override
  public Logger getLogger(String name, Module module) {
    return new Lines(name);
  }

  private record Lines(String name) implements Logger {
    @Override
    public String getName() {
      return name;
    }

    @Override
    public boolean isLoggable(Level level) {
      // Gatun's own errors come before the end of the process; the libraries' lead to an exception.
      return verbose
          ? level.getSeverity() >= Level.DEBUG.getSeverity()
          : level == Level.ERROR && name.startsWith("io.gatun");
    }

    @Override
    public void log(
        Level level,
        @Nullable ResourceBundle bundle,
        @Nullable String message,
        @Nullable Throwable thrown) {
      if (isLoggable(level)) {
        Console.note("%s: %s%s".formatted(name, message, thrown == null ? "" : ": " + thrown));
      }
    }

    @Override
    public void log(
        Level level,
        @Nullable ResourceBundle bundle,
        @Nullable String format,
        @Nullable Object @Nullable ... values) {
      if (isLoggable(level)) {
        boolean plain = format == null || values == null || values.length == 0;
        log(level, bundle, plain ? format : MessageFormat.format(format, values), (Throwable) null);
      }
    }
  }
}
