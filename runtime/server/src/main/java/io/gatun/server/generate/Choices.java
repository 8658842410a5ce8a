package io.gatun.server.generate;

import io.gatun.GenerateOptions;
import io.gatun.LanguageModel;
import io.gatun.TextPiece;
import io.gatun.TokenStream;
import io.gatun.engine.FinishReason;
import io.gatun.engine.Usage;
import io.gatun.server.http.ApiException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * The texts of a request while they are generated, all at once. Closing it stops what is left.
 *
 * <p>For one reader; {@link #cancel} may be called from any thread.
 */
public final class Choices implements AutoCloseable {
  private final List<TokenStream> streams = new ArrayList<>();

  /** The first choice of each prompt. */
  private final List<Integer> first = new ArrayList<>();

  private final GenerationTimes times;

  private Choices(GenerationTimes times) {
    this.times = times;
  }

  /**
   * Begins.
   *
   * @param plans one for each prompt; their choices follow each other
   */
  static Choices start(LanguageModel model, List<TextPlan> plans, GenerationTimes times) {
    Choices choices = new Choices(times);
    try {
      plans.forEach(plan -> choices.add(model, plan));
      return choices;
    } catch (RuntimeException e) {
      choices.close();
      throw e;
    }
  }

  private void add(LanguageModel model, TextPlan plan) {
    first.add(streams.size());
    GenerateOptions options = plan.options();
    for (int i = 0; i < plan.choices(); i++) {
      GenerateOptions own = i == 0 ? options : options.withSeed(options.sampling().seed() + i);
      streams.add(model.stream(plan.prompt(), own));
    }
  }

  /** Receives the texts, on the thread that asks for them. */
  public interface Reader {
    /** A piece of one of the texts. */
    void piece(int choice, TextPiece piece);

    /** The end of one of the texts. */
    void end(int choice, FinishReason reason);
  }

  /**
   * Reads all texts to their ends, in the order in which pieces come.
   *
   * @throws ApiException when they were stopped from elsewhere
   */
  public void read(Reader reader) throws InterruptedException {
    if (streams.size() == 1) {
      TokenStream only = streams.getFirst();
      for (var piece = only.nextPiece(); piece.isPresent(); piece = only.nextPiece()) {
        times.piece(0, piece.get());
        reader.piece(0, piece.get());
      }
      end(reader, 0);
    } else {
      readAll(reader);
    }
    times.finished(totals());
  }

  /** What came of one of the texts; no piece at its end. */
  private record Arrival(int choice, Optional<TextPiece> piece) {}

  private void readAll(Reader reader) throws InterruptedException {
    LinkedBlockingQueue<Arrival> arrivals = new LinkedBlockingQueue<>();
    for (int i = 0; i < streams.size(); i++) {
      int choice = i;
      var _ = Thread.ofVirtual().name("gatun-choice").start(() -> follow(choice, arrivals));
    }
    int open = streams.size();
    while (open > 0) {
      Arrival next = arrivals.take();
      if (next.piece().isPresent()) {
        times.piece(next.choice(), next.piece().get());
        reader.piece(next.choice(), next.piece().get());
      } else {
        open--;
        end(reader, next.choice());
      }
    }
  }

  private void follow(int choice, LinkedBlockingQueue<Arrival> arrivals) {
    try {
      TokenStream stream = streams.get(choice);
      for (var piece = stream.nextPiece(); piece.isPresent(); piece = stream.nextPiece()) {
        arrivals.add(new Arrival(choice, piece));
      }
    } finally {
      // A failure shows when the end is looked at.
      arrivals.add(new Arrival(choice, Optional.empty()));
    }
  }

  private void end(Reader reader, int choice) {
    FinishReason reason = streams.get(choice).finishReason();
    if (reason == FinishReason.CANCELLED) {
      throw ApiException.of(ApiException.Reason.UNAVAILABLE, "the generation was stopped");
    }
    reader.end(choice, reason);
  }

  /** The stop text that ended one of the texts. */
  public Optional<String> stopText(int choice) {
    return streams.get(choice).stopText();
  }

  /** What one of the texts took; waits for its end. */
  public Usage usage(int choice) {
    return streams.get(choice).usage();
  }

  /**
   * What all texts together took, in tokens: each prompt counts once.
   *
   * @param cached those of the prompts that were still in the KV cache
   */
  public record Totals(int prompt, int cached, int completion) {}

  /** What all texts took; waits for their ends. */
  public Totals totals() {
    int prompt = 0;
    int cached = 0;
    for (int choice : first) {
      prompt += usage(choice).promptTokens();
      cached += usage(choice).cachedTokens();
    }
    int tokens = 0;
    for (int i = 0; i < streams.size(); i++) {
      tokens += usage(i).completionTokens();
    }
    return new Totals(prompt, cached, tokens);
  }

  /** Stops all texts within a step. */
  public void cancel() {
    streams.forEach(TokenStream::cancel);
  }

  @Override
  public void close() {
    streams.forEach(TokenStream::close);
  }
}
