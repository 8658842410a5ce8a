package io.gatun.model.chat.reply;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** The text of a harmony message. */
final class HarmonyMessage implements ReplyPart {
  private enum Kind {
    CONTENT,
    REASONING,
    CALL,
    /** Reasoning that is not kept apart: content with its markers. */
    ALL
  }

  /** Recipients that are no tools. */
  private static final Set<String> PEOPLE = Set.of("", "assistant", "user", "all", "self");

  private final Kind kind;
  private final Markers ends;

  private HarmonyMessage(Kind kind) {
    this.kind = kind;
    List<Markers.Marker> all = new ArrayList<>();
    Harmony.ENDS.forEach(end ->
        all.add(
            new Markers.Marker(
                end,
                false,
                s -> {
                  if (kind == Kind.ALL) {
                    s.out.content(end);
                  }
                  return new HarmonyHeader();
                })));
    for (String next : List.of(Harmony.START, Harmony.CHANNEL)) {
      all.add(new Markers.Marker(next, true, _ -> new HarmonyHeader()));
    }
    this.ends = new Markers(all);
  }

  /** The rest of a message that was begun. */
  static ReplyPart continuing(ReplyScope s) {
    return new HarmonyMessage(
        s.begunReasoning().isPresent() && s.separateReasoning() ? Kind.REASONING : Kind.CONTENT);
  }

  static ReplyPart content() {
    return new HarmonyMessage(Kind.CONTENT);
  }

  /** The message under a header. */
  static ReplyPart under(ReplyScope s, String header) {
    String recipient = word(header, "to=");
    if (!PEOPLE.contains(recipient)) {
      int from = recipient.startsWith("functions.") ? "functions.".length() : 0;
      s.out.beginCall(recipient.substring(from));
      return new HarmonyMessage(Kind.CALL);
    }
    boolean analysis = word(header, Harmony.CHANNEL).equals("analysis");
    if (analysis && !s.separateReasoning()) {
      s.out.content(header);
      return new HarmonyMessage(Kind.ALL);
    }
    if (s.separateReasoning()) {
      s.out.mark();
    }
    return new HarmonyMessage(analysis ? Kind.REASONING : Kind.CONTENT);
  }

  /** The word behind the last of these texts. */
  private static String word(String header, String before) {
    int from = header.lastIndexOf(before);
    if (from < 0) {
      return "";
    }
    int end = from + before.length();
    while (end < header.length() && header.charAt(end) > ' ' && header.charAt(end) != '<') {
      end++;
    }
    return header.substring(from + before.length(), end);
  }

  @Override
  public ReplyPart read(ReplyScope s) {
    Markers.Found found = ends.find(s.in);
    String text = s.in.take(found.at());
    switch (kind) {
      case CONTENT, ALL -> s.out.content(text);
      case REASONING -> s.out.reasoning(text);
      case CALL -> s.out.arguments(text);
    }
    if (found.marker().isEmpty()) {
      return this;
    }
    end(s);
    return s.follow(found.marker().get());
  }

  @Override
  public void end(ReplyScope s) {
    if (kind == Kind.CALL) {
      s.out.endCall();
    }
  }
}
