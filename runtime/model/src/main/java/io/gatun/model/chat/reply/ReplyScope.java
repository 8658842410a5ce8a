package io.gatun.model.chat.reply;

import io.gatun.model.chat.ToolDefinition;
import io.gatun.model.json.JsonValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What all parts of one reply share. */
final class ReplyScope {
  final Incoming in = new Incoming();
  final Outgoing out;
  final ReplySyntax syntax;
  private final ReplySettings settings;
  private final Markers first;
  private final Markers later;

  ReplyScope(ReplySyntax syntax, ReplySettings settings) {
    this.syntax = syntax;
    this.settings = settings;
    this.out = new Outgoing(settings);
    this.first = new Markers(contentMarkers(true));
    this.later = new Markers(contentMarkers(false));
  }

  boolean separateReasoning() {
    return settings.separateReasoning();
  }

  boolean callsPossible() {
    return !settings.tools().isEmpty();
  }

  boolean knows(String tool) {
    return settings.tools().stream().anyMatch(t -> t.name().equals(tool));
  }

  /** The schema of a tool's arguments; an empty one for an unknown tool. */
  JsonValue.Members schema(String tool) {
    return settings.tools().stream()
        .filter(t -> t.name().equals(tool))
        .map(ToolDefinition::parameters)
        .findFirst()
        .orElse(JsonValue.Members.EMPTY);
  }

  Optional<String> begunReasoning() {
    return settings.begun().filter(m -> m.content().isEmpty()).map(m -> m.reasoning());
  }

  boolean begun() {
    return settings.begun().isPresent();
  }

  /**
   * What means something in content.
   *
   * @param atBeginning where nothing stands before it
   */
  Markers inContent(boolean atBeginning) {
    return atBeginning ? first : later;
  }

  /** What ends reasoning. */
  Markers inReasoning(Thinking thinking) {
    List<Markers.Marker> all = new ArrayList<>();
    thinking.ends().forEach(end -> add(all, end, false, ReplyScope::answer));
    if (syntax.callsEndThinking() && callsPossible()) {
      addCalls(all, true);
    }
    return new Markers(all);
  }

  private List<Markers.Marker> contentMarkers(boolean atBeginning) {
    List<Markers.Marker> all = new ArrayList<>();
    if (callsPossible()) {
      addCalls(all, atBeginning);
    }
    if (separateReasoning()) {
      for (Thinking t : syntax.thinking()) {
        if (t.anywhere() || atBeginning) {
          add(all, t.begin(), false, scope -> scope.think(t));
        }
        if (atBeginning) { // reasoning that the prompt began, or none at all
          t.ends().forEach(end -> add(all, end, false, ReplyScope::answer));
        }
        t.strays().forEach(stray -> add(all, stray, false, s -> s.frame(atBeginning)));
      }
    }
    syntax.frames().forEach(f -> add(all, f, false, s -> s.frame(atBeginning)));
    return all;
  }

  /** What reads on where a marker stands. */
  ReplyPart follow(Markers.Marker marker) {
    if (!marker.kept()) {
      var _ = in.take(marker.text().length());
    }
    return marker.follow().part(this);
  }

  /** Reasoning begins here. */
  ReplyPart think(Thinking thinking) {
    out.mark();
    return new ReasoningPart(inReasoning(thinking));
  }

  /** The answer begins here. */
  private ReplyPart answer() {
    out.mark();
    return new ContentPart(true);
  }

  /** Content goes on behind a text that is none. */
  private ReplyPart frame(boolean atBeginning) {
    if (atBeginning) {
      out.mark();
    }
    return new ContentPart(atBeginning);
  }

  /** Where another call may begin. */
  List<String> callStarts() {
    List<String> all = new ArrayList<>(syntax.callFrames());
    syntax.calls().stream()
        .filter(form -> !form.onlyFirst())
        .forEach(form -> all.addAll(form.openers()));
    return all;
  }

  private void addCalls(List<Markers.Marker> all, boolean atBeginning) {
    for (CallForm form : syntax.calls()) {
      if (atBeginning || !form.onlyFirst()) {
        form.openers().forEach(o -> add(all, o, true, _ -> new CallChoice(o, atBeginning)));
      }
    }
    syntax.callFrames().forEach(f -> add(all, f, false, s -> s.frame(true)));
  }

  /** Of two meanings of one text, the first stays. */
  private static void add(
      List<Markers.Marker> all, String text, boolean kept, Markers.Follow follow) {
    if (all.stream().noneMatch(m -> m.text().equals(text))) {
      all.add(new Markers.Marker(text, kept, follow));
    }
  }
}
