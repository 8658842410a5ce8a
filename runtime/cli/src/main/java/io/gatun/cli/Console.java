package io.gatun.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.Serial;
import java.nio.charset.StandardCharsets;

/**
 * Standard output and error: always UTF-8, and a closed pipe ends the program instead of nothing.
 */
final class Console {
  private static final PrintStream OUT =
      new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
  private static final PrintStream ERR =
      new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);

  private Console() {}

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
    if (OUT.checkError()) {
      throw new ClosedPipe();
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
