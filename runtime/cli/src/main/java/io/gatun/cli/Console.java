package io.gatun.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.Serial;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Standard output and error: always UTF-8, and a closed pipe or a full disk ends the program
 * instead of nothing.
 */
final class Console {
  private static final PrintStream OUT =
      new PrintStream(
          new Remembering(new FileOutputStream(FileDescriptor.out)), false, StandardCharsets.UTF_8);
  private static final PrintStream ERR =
      new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);

  private Console() {}

  private static volatile String reason = "";

  /** Remembers why writing failed, which {@link PrintStream} does not tell. */
  private static final class Remembering extends FilterOutputStream {
    Remembering(OutputStream out) {
      super(out);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      try {
        out.write(bytes, offset, length);
      } catch (IOException e) {
        reason = String.valueOf(e.getMessage());
        throw e;
      }
    }

    @Override
    public void write(int value) throws IOException {
      write(new byte[] {(byte) value}, 0, 1);
    }
  }

  /** Nobody reads any more. */
  static final class ClosedPipe extends RuntimeException {
    @Serial private static final long serialVersionUID = 1L;

    ClosedPipe() {
      super("output closed", null, false, false);
    }
  }

  static PrintStream out() {
    return OUT;
  }

  static PrintWriter writer() {
    return new PrintWriter(OUT, true, StandardCharsets.UTF_8);
  }

  static PrintWriter errorWriter() {
    return new PrintWriter(ERR, true, StandardCharsets.UTF_8);
  }

  /** Writes at once. */
  static void print(String text) {
    OUT.print(text);
    requireWritten();
  }

  /** Writes what is left and returns the exit code that this gives. */
  static int finish() {
    try {
      requireWritten();
      return 0;
    } catch (ClosedPipe | UncheckedIOException e) {
      return Failures.report(e);
    }
  }

  private static void requireWritten() {
    if (OUT.checkError()) {
      if (pipe()) {
        throw new ClosedPipe();
      }
      String message = "cannot write the output: " + reason;
      throw new UncheckedIOException(message, new IOException(reason));
    }
  }

  /**
   * Whether it was a reader that left. Linux tells what the output is, others only their reason.
   */
  private static boolean pipe() {
    try {
      String target = Files.readSymbolicLink(Path.of("/proc/self/fd/1")).toString();
      return target.startsWith("pipe:") || target.startsWith("socket:");
    } catch (IOException | UnsupportedOperationException notLinux) {
      return reason.toLowerCase(Locale.ROOT).contains("pipe");
    }
  }

  static void println(String text) {
    print(text + "\n");
  }

  /** One line to standard error, after the program's name. */
  static void error(String message) {
    ERR.println("gatun: " + message);
  }

  /** One line to standard error. */
  static void note(String message) {
    ERR.println(message);
  }

  /** Text to standard error without a line break. */
  static void status(String text) {
    ERR.print(text);
    ERR.flush();
  }

  /** Whether a person is at the other end. */
  @SuppressWarnings("SystemConsoleNull") // it can still be null, with no terminal at all
  static boolean interactive() {
    java.io.Console console = System.console();
    return console != null && console.isTerminal();
  }
}
