package io.gatun.model.chat.reply;

import io.gatun.model.chat.ChatMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What a reply turned out to be so far, and what of that is still to be told. */
final class Outgoing {
  private final Flow content;
  private final Flow reasoning;
  private final List<ReplyCall> calls = new ArrayList<>();
  private Optional<Writing> writing = Optional.empty();

  private final List<ReplyEvent> events = new ArrayList<>();

  /** Text for an event that may still grow. */
  private final StringBuilder growing = new StringBuilder();

  private Kind kind = Kind.CONTENT;

  private enum Kind {
    CONTENT,
    REASONING,
    ARGUMENTS
  }

  /** The call that is being written. */
  private static final class Writing {
    private final String name;
    private final StringBuilder arguments = new StringBuilder();
    private String id = "";

    Writing(String name) {
      this.name = name;
    }
  }

  Outgoing(ReplySettings settings) {
    this.content = new Flow(settings.begun().map(ChatMessage::content).orElse(""));
    this.reasoning =
        new Flow(
            settings
                .begun()
                .filter(_ -> settings.separateReasoning())
                .map(ChatMessage::reasoning)
                .orElse(""));
  }

  void content(String text) {
    grow(Kind.CONTENT, content.accept(text));
  }

  void reasoning(String text) {
    grow(Kind.REASONING, reasoning.accept(text));
  }

  /** A marker stands here: white space around it is no text. */
  void mark() {
    content.mark();
    reasoning.mark();
  }

  void beginCall(String name) {
    mark();
    writing = Optional.of(new Writing(name));
    tell(new ReplyEvent.CallBegun(calls.size(), name));
  }

  /** The id of the call that is being written. */
  void id(String id) {
    writing.ifPresent(w -> w.id = id);
  }

  void arguments(String text) {
    writing.orElseThrow().arguments.append(text);
    grow(Kind.ARGUMENTS, text);
  }

  /** The call is complete. One without arguments gets an empty object. */
  void endCall() {
    if (writing.orElseThrow().arguments.isEmpty()) {
      arguments("{}");
    }
    Writing call = writing.orElseThrow();
    ended(ReplyCall.read(call.id, call.name, call.arguments.toString()));
  }

  /** The text ended before the call did. */
  void breakCall() {
    Writing call = writing.orElseThrow();
    ended(
        ReplyCall.broken(
            call.id, call.name, call.arguments.toString(), "the reply ended within the call"));
  }

  private void ended(ReplyCall call) {
    tell(new ReplyEvent.CallEnded(calls.size(), call));
    calls.add(call);
    writing = Optional.empty();
    mark();
  }

  /** Nothing follows. */
  void end() {
    grow(Kind.REASONING, reasoning.end());
    grow(Kind.CONTENT, content.end());
  }

  /** What is to be told. */
  List<ReplyEvent> drain() {
    close();
    List<ReplyEvent> all = List.copyOf(events);
    events.clear();
    return all;
  }

  Reply reply() {
    List<ReplyCall> all = new ArrayList<>(calls);
    writing.ifPresent(w ->
        all.add(
            ReplyCall.broken(w.id, w.name, w.arguments.toString(), "the call is not complete")));
    return new Reply(content.told(), reasoning.told(), all);
  }

  private void grow(Kind what, String text) {
    if (kind != what) {
      close();
      kind = what;
    }
    growing.append(text);
  }

  private void tell(ReplyEvent event) {
    close();
    events.add(event);
  }

  private void close() {
    if (!growing.isEmpty()) {
      String text = growing.toString();
      events.add(
          switch (kind) {
            case CONTENT -> new ReplyEvent.Content(text);
            case REASONING -> new ReplyEvent.Reasoning(text);
            case ARGUMENTS -> new ReplyEvent.CallArguments(calls.size(), text);
          });
      growing.setLength(0);
    }
  }
}
