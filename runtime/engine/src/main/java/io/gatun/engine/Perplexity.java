package io.gatun.engine;

import java.util.Arrays;
import java.util.function.Consumer;

/**
 * Measures how well a model predicts a text: exp of the mean negative log-likelihood. The text is
 * cut into chunks, of which the second half is rated, so that every rated token has some context.
 *
 * @source llama.cpp v0.4.0, tools/perplexity: the same chunks and the same rated tokens
 */
public final class Perplexity {
  private double sum;
  private double squares;
  private long rated;

  private Perplexity() {}

  /**
   * Rates a text.
   *
   * @param tokens of the text, with BOS if the model wants one
   * @param chunk tokens per chunk, at most the context
   * @param progress gets the running result after each chunk
   * @throws IllegalArgumentException when the text is shorter than one chunk
   */
  public static Perplexity of(
      Engine engine, int[] tokens, int chunk, Consumer<Perplexity> progress) {
    if (chunk < 4 || chunk > engine.contextTokens()) {
      throw new IllegalArgumentException(
          "a chunk must have 4 to %d tokens, got %d".formatted(engine.contextTokens(), chunk));
    }
    if (tokens.length < chunk) {
      throw new IllegalArgumentException(
          "the text has %d tokens, at least %d are needed".formatted(tokens.length, chunk));
    }
    Perplexity result = new Perplexity();
    for (int start = 0; start + chunk <= tokens.length; start += chunk) {
      result.rate(engine, Arrays.copyOfRange(tokens, start, start + chunk));
      progress.accept(result);
    }
    return result;
  }

  /** The perplexity. */
  public double value() {
    return Math.exp(sum / rated);
  }

  /** Its standard error. */
  public double error() {
    double mean = sum / rated;
    double variance = squares / rated - mean * mean;
    return rated < 2 ? 0 : value() * Math.sqrt(Math.max(0, variance) / (rated - 1));
  }

  /** How many tokens were rated. */
  public long ratedTokens() {
    return rated;
  }

  private void rate(Engine engine, int[] chunk) {
    if (engine.model().vocabulary().addsBegin()) {
      chunk[0] = engine.model().vocabulary().beginToken().orElse(chunk[0]);
    }
    int first = chunk.length / 2;
    LogitsObserver observer =
        new LogitsObserver() {
          @Override
          public void observe(int position, float[] logits, int count) {
            if (position >= first && position < chunk.length - 1) {
              double nll = RowReader.logMass(logits) - logits[chunk[position + 1]];
              sum += nll;
              squares += nll * nll;
              rated++;
            }
          }

          @Override
          public boolean everyRow() {
            return true;
          }
        };
    var _ =
        engine
            .submit(GenerateRequest.of(chunk).withMaxTokens(0).withObserver(observer))
            .finishReason();
  }
}
