package io.gatun.cli;

import java.util.Arrays;
import java.util.Locale;

/**
 * Whether the JVM could read the command line. It decodes it in the locale's characters; in those
 * of cron and of bare containers, ASCII, all other letters are lost. {@code scripts/gatun} sets a
 * better locale; this is for those who start Java themselves.
 */
final class Arguments {
  private static final String LOST = "\ufffd";

  private Arguments() {}

  static boolean readable(String[] args) {
    return utf8() || Arrays.stream(args).noneMatch(arg -> arg.contains(LOST));
  }

  static boolean utf8() {
    return charset().toUpperCase(Locale.ROOT).replace("-", "").equals("UTF8");
  }

  /** The characters that the JVM decodes arguments and file names with. */
  static String charset() {
    return System.getProperty("sun.jnu.encoding", "UTF-8");
  }
}
