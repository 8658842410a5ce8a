package io.gatun.server.generate;

import io.gatun.TextPiece;
import io.gatun.engine.FinishReason;
import io.gatun.engine.Usage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The answers to a conversation while they are generated. For one thread. */
public final class ChatRun {
  private final Choices choices;
  private final List<ReplyReader> readers = new ArrayList<>();

  ChatRun(Choices choices, ReplyReaders readers, int count) {
    this.choices = choices;
    for (int i = 0; i < count; i++) {
      this.readers.add(readers.reader());
    }
  }

  /** Reads all answers to their ends, in the order in which pieces come. */
  public void read(ChatReader reader) throws InterruptedException {
    choices.read(
        new Choices.Reader() {
          @Override
          public void piece(int choice, TextPiece piece) {
            reader.tokens(choice, piece.tokens());
            readers.get(choice).accept(piece.text()).forEach(e -> reader.event(choice, e));
          }

          @Override
          public void end(int choice, FinishReason reason) {
            readers.get(choice).finish().forEach(e -> reader.event(choice, e));
            reader.end(choice, reason, readers.get(choice).reply());
          }
        });
  }

  /** The stop text that ended one of the answers. */
  public Optional<String> stopText(int choice) {
    return choices.stopText(choice);
  }

  /** What one of the answers took; waits for its end. */
  public Usage usage(int choice) {
    return choices.usage(choice);
  }

  /** What all answers took; waits for their ends. */
  public Choices.Totals totals() {
    return choices.totals();
  }
}
