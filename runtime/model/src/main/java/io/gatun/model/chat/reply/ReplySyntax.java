package io.gatun.model.chat.reply;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * What texts mean in a format. Immutable.
 *
 * @param thinking how reasoning is set apart
 * @param calls how tool calls are written, the first that fits
 * @param frames what stands around content and is none
 * @param callFrames what stands around calls, such as the beginning of a list of them
 * @param callsEndThinking whether a call may follow reasoning that was not ended
 */
record ReplySyntax(
    List<Thinking> thinking,
    List<CallForm> calls,
    List<String> frames,
    List<String> callFrames,
    boolean callsEndThinking) {
  /** Reasoning in tags and no calls. */
  static final ReplySyntax PLAIN =
      new ReplySyntax(List.of(Thinking.TAGS), List.of(), List.of(), List.of(), false);

  static ReplySyntax calls(CallForm... forms) {
    return new ReplySyntax(List.of(Thinking.TAGS), List.of(forms), List.of(), List.of(), false);
  }

  ReplySyntax thinking(Thinking... ways) {
    return new ReplySyntax(List.of(ways), calls, frames, callFrames, callsEndThinking);
  }

  ReplySyntax framed(String... texts) {
    return new ReplySyntax(thinking, calls, List.of(texts), callFrames, callsEndThinking);
  }

  ReplySyntax callsFramed(String... texts) {
    return new ReplySyntax(thinking, calls, frames, List.of(texts), callsEndThinking);
  }

  ReplySyntax endingThinking() {
    return new ReplySyntax(thinking, calls, frames, callFrames, true);
  }

  /** Every text that means something. */
  List<String> marks() {
    List<String> all = new ArrayList<>(frames);
    all.addAll(callFrames);
    for (Thinking t : thinking) {
      all.add(t.begin());
      all.addAll(t.ends());
      all.addAll(t.strays());
    }
    calls.stream()
        .flatMap(c -> Stream.concat(c.openers().stream(), c.marks().stream()))
        .forEach(all::add);
    return all;
  }
}
