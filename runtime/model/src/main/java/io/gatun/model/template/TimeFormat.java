package io.gatun.model.template;

import java.time.Clock;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** The time now by C's {@code strftime} patterns, in English as in the C locale. */
final class TimeFormat {
  private TimeFormat() {}

  static String format(String pattern, Clock clock, Budget budget) {
    LocalDateTime now = LocalDateTime.now(clock);
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < pattern.length(); i++) {
      char c = pattern.charAt(i);
      if (c != '%' || i + 1 == pattern.length()) {
        out.append(c);
        continue;
      }
      char letter = pattern.charAt(++i);
      if (letter == '-' && i + 1 < pattern.length()) {
        letter = pattern.charAt(++i);
        budget.append(out, one(letter, now).replaceFirst("^[0 ]+(?=.)", ""));
      } else {
        budget.append(out, one(letter, now));
      }
    }
    budget.chars(out.length());
    return out.toString();
  }

  private static String one(char letter, LocalDateTime now) {
    return switch (letter) {
      case 'Y' -> shown(now, "uuuu");
      case 'y' -> shown(now, "uu");
      case 'm' -> shown(now, "MM");
      case 'd' -> shown(now, "dd");
      case 'e' -> "%2d".formatted(now.getDayOfMonth());
      case 'H' -> shown(now, "HH");
      case 'I' -> shown(now, "hh");
      case 'M' -> shown(now, "mm");
      case 'S' -> shown(now, "ss");
      case 'f' -> shown(now, "SSSSSS");
      case 'p' -> now.getHour() < 12 ? "AM" : "PM";
      case 'B' -> shown(now, "MMMM");
      case 'b', 'h' -> shown(now, "MMM");
      case 'A' -> shown(now, "EEEE");
      case 'a' -> shown(now, "EEE");
      case 'j' -> shown(now, "DDD");
      case 'u' -> Integer.toString(now.getDayOfWeek().getValue());
      case 'w' -> Integer.toString(now.getDayOfWeek().getValue() % 7);
      case 'F' -> shown(now, "uuuu-MM-dd");
      case 'T', 'X' -> shown(now, "HH:mm:ss");
      case 'R' -> shown(now, "HH:mm");
      case 'D', 'x' -> shown(now, "MM/dd/uu");
      case 'c' -> shown(now, "EEE MMM ") + one('e', now) + shown(now, " HH:mm:ss uuuu");
      case 'n' -> "\n";
      case 't' -> "\t";
      case 'Z', 'z' -> "";
      case '%' -> "%";
      default -> "%" + letter;
    };
  }

  private static String shown(LocalDateTime now, String pattern) {
    return DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(now);
  }
}
