package io.gatun.bindings;

import io.gatun.bindings.ggml.Ggml;
import io.gatun.bindings.ggml.Llama;
import io.gatun.bindings.ggml.ggml_log_callback;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What the native libraries log: each line goes to the logger {@code ggml} at its own level, and
 * the last ones are kept for error messages. Thread-safe.
 */
public final class NativeLog {
  private static final Logger LOG = System.getLogger("ggml");
  private static final int KEPT = 32;
  private static final Deque<String> RECENT = new ArrayDeque<>();
  private static final Deque<String> ERRORS = new ArrayDeque<>();
  private static final StringBuilder PARTIAL = new StringBuilder();
  private static Level level = Level.DEBUG;

  private NativeLog() {}

  /** The last lines, oldest first, for the text of an exception. */
  public static String recent() {
    synchronized (RECENT) {
      return String.join("\n", RECENT);
    }
  }

  /** What the libraries called an error, oldest first; all last lines when there is none. */
  public static String errors() {
    synchronized (RECENT) {
      return ERRORS.isEmpty() ? recent() : String.join("; ", ERRORS);
    }
  }

  /** Forgets the kept lines, before an operation whose own lines are wanted. */
  public static void clear() {
    synchronized (RECENT) {
      RECENT.clear();
      ERRORS.clear();
      PARTIAL.setLength(0);
    }
  }

  /** Redirects both libraries. Must run before the backends are loaded, which already log. */
  static void install() {
    MemorySegment callback = ggml_log_callback.allocate(NativeLog::accept, Arena.global());
    Llama.llama_log_set(callback, MemorySegment.NULL);
  }

  /** Runs on any native thread; an exception that escaped it would end the JVM. */
  private static void accept(int nativeLevel, MemorySegment text, MemorySegment userData) {
    try {
      append(nativeLevel, text.reinterpret(Integer.MAX_VALUE).getString(0));
    } catch (Throwable ignored) {
      // A lost log line is better than a lost process.
    }
  }

  private static void append(int nativeLevel, String text) {
    synchronized (RECENT) {
      if (nativeLevel != Ggml.GGML_LOG_LEVEL_CONT()) {
        level = levelOf(nativeLevel);
      }
      PARTIAL.append(text);
      for (int end = PARTIAL.indexOf("\n"); end >= 0; end = PARTIAL.indexOf("\n")) {
        String line = PARTIAL.substring(0, end);
        PARTIAL.delete(0, end + 1);
        if (!line.isBlank()) {
          keep(RECENT, line);
          if (level == Level.ERROR) {
            keep(ERRORS, line);
          }
          LOG.log(level, line);
        }
      }
    }
  }

  private static void keep(Deque<String> lines, String line) {
    if (lines.size() == KEPT) {
      lines.removeFirst();
    }
    lines.addLast(line);
  }

  /** GGML's INFO and WARN are chatter to users of a library; errors keep their level. */
  private static Level levelOf(int nativeLevel) {
    if (nativeLevel == Ggml.GGML_LOG_LEVEL_ERROR()) {
      return Level.ERROR;
    }
    if (nativeLevel == Ggml.GGML_LOG_LEVEL_WARN()) {
      return Level.DEBUG;
    }
    return nativeLevel == Ggml.GGML_LOG_LEVEL_INFO() ? Level.DEBUG : Level.TRACE;
  }
}
