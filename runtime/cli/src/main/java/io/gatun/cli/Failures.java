package io.gatun.cli;

import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import picocli.CommandLine;

/** Turns failures into one line on stderr and an exit code. */
final class Failures {
  private static final int FAILED = 1;
  private static final int USAGE = 2;

  /** What a shell gives a program that wrote into a closed pipe: 128 + SIGPIPE. */
  private static final int CLOSED_PIPE = 141;

  private Failures() {}

  static int usage(CommandLine.ParameterException failure, String[] args) {
    String command = failure.getCommandLine().getCommandSpec().qualifiedName();
    Console.error("%s (see %s --help)".formatted(oneLine(failure.getMessage()), command));
    return USAGE;
  }

  /** For arguments that the locale has spoilt. */
  static int unreadable() {
    Console.error(
        "the arguments have letters that the characters of this locale, %s, lack; set LC_ALL=C.UTF-8"
            .formatted(Arguments.charset()));
    return USAGE;
  }

  static int report(Throwable failure, boolean verbose) {
    if (failure instanceof Console.ClosedPipe) {
      return CLOSED_PIPE;
    }
    if (verbose) {
      failure.printStackTrace(Console.errorWriter());
    } else {
      Console.error(describe(failure));
    }
    return FAILED;
  }

  static int report(Exception failure) {
    return report(failure, false);
  }

  /** A failure in one line. */
  static String describe(Throwable failure) {
    return switch (failure) {
      case NoSuchFileException e -> e.getMessage() + " does not exist";
      case AccessDeniedException e -> e.getMessage() + " may not be read";
      case InvalidPathException e when !Arguments.utf8() ->
          "the locale's characters, %s, lack some of %s; set LC_ALL=C.UTF-8"
              .formatted(Arguments.charset(), e.getInput());
      case FileSystemException e -> oneLine(e.getMessage());
      case CompletionException e when e.getCause() != null -> describe(e.getCause());
      case UncheckedIOException e -> oneLine(e.getMessage());
      case OutOfMemoryError _ -> "the Java heap is too small; raise it with GATUN_JAVA_OPTS=-Xmx4g";
      case RuntimeException e when e.getMessage() != null -> oneLine(e.getMessage());
      default ->
          failure.getClass().getSimpleName()
              + (failure.getMessage() == null ? "" : ": " + oneLine(failure.getMessage()));
    };
  }

  private static String oneLine(@org.jspecify.annotations.Nullable String message) {
    return Objects.requireNonNullElse(message, "failed").strip().replaceAll("\\s*\\R\\s*", "; ");
  }
}
