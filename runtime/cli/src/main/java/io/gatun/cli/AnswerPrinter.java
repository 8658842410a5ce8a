package io.gatun.cli;

import io.gatun.AnswerStream;
import io.gatun.model.chat.reply.ReplyCall;
import io.gatun.model.chat.reply.ReplyEvent;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Prints answers as they come: reasoning, if it is shown, above the text; a tool call in a line.
 */
final class AnswerPrinter {
  private static final String DIM = "\u001b[2m";
  private static final String PLAIN = "\u001b[0m";

  private enum Printed {
    NOTHING,
    REASONING,
    TEXT,
    CALL
  }

  private final Consumer<String> out;
  private final boolean showsReasoning;
  private final boolean dim;
  private Printed last = Printed.NOTHING;

  AnswerPrinter(Consumer<String> out, boolean showsReasoning, boolean dim) {
    this.out = out;
    this.showsReasoning = showsReasoning;
    this.dim = dim;
  }

  /** Reads an answer to its end. */
  void print(AnswerStream answer) {
    last = Printed.NOTHING;
    try {
      for (Optional<ReplyEvent> event = answer.next(); event.isPresent(); event = answer.next()) {
        print(event.get());
      }
    } finally {
      change(Printed.NOTHING);
    }
  }

  private void print(ReplyEvent event) {
    switch (event) {
      case ReplyEvent.Reasoning(String text) -> {
        if (showsReasoning) {
          change(Printed.REASONING);
          out.accept(text);
        }
      }
      case ReplyEvent.Content(String text) -> {
        change(Printed.TEXT);
        out.accept(text);
      }
      case ReplyEvent.CallBegun(int _, String name) -> {
        change(Printed.CALL);
        out.accept("→ " + name + " ");
      }
      case ReplyEvent.CallArguments(int _, String text) -> out.accept(text);
      case ReplyEvent.CallEnded(int _, ReplyCall call) ->
          call.problem().ifPresent(problem -> out.accept("\n(" + problem + ")"));
    }
  }

  /** Ends what was printed before, where something else follows or another call does. */
  private void change(Printed next) {
    if (next == last && next != Printed.CALL) {
      return;
    }
    if (last == Printed.REASONING) {
      out.accept(dim ? PLAIN : "");
    }
    if (last != Printed.NOTHING || next == Printed.NOTHING) {
      out.accept("\n");
    }
    if (last == Printed.REASONING && next != Printed.NOTHING) {
      out.accept("\n");
    }
    if (next == Printed.REASONING) {
      out.accept(dim ? DIM : "");
    }
    last = next;
  }
}
