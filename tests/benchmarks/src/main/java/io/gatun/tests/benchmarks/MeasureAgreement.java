package io.gatun.tests.benchmarks;

import io.gatun.Gatun;
import io.gatun.GenerateOptions;
import io.gatun.LanguageModel;
import io.gatun.engine.GenerateRequest;
import io.gatun.engine.LogitsObserver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;

/**
 * How often a drafter's best token is that of the model it drafts for: {@code MeasureAgreement
 * MODEL DRAFTER TEXT}, where TEXT has texts between lines of {@code <|endoftext|>}. Both see the
 * same tokens before each: once those of the text, once those that the model itself goes on with.
 */
public final class MeasureAgreement {
  private static final int TOKENS_MAX = 256;
  private static final int BEGINNING = 32;

  private long rated;
  private long equal;

  private MeasureAgreement() {}

  public static void main(String[] args) throws IOException {
    MeasureAgreement onText = new MeasureAgreement();
    MeasureAgreement onOwn = new MeasureAgreement();
    try (LanguageModel model = Gatun.load(Path.of(args[0]));
        LanguageModel drafter = Gatun.load(Path.of(args[1]))) {
      for (String text : Files.readString(Path.of(args[2])).split("\n<\\|endoftext\\|>\n", -1)) {
        int[] tokens = model.model().vocabulary().encode(text, true, false);
        int[] read = Arrays.copyOf(tokens, Math.min(tokens.length, TOKENS_MAX));
        onText.compare(best(model, read), best(drafter, read), 0);
        if (read.length > BEGINNING) {
          int[] own = continued(model, Arrays.copyOf(read, BEGINNING));
          onOwn.compare(best(model, own), best(drafter, own), BEGINNING);
        }
      }
    }
    System.out.printf(
        "the same best token: %.1f %% of %d in the text, %.1f %% of %d in what the model writes%n",
        onText.percent(), onText.rated, onOwn.percent(), onOwn.rated);
  }

  private void compare(int[] model, int[] drafter, int from) {
    for (int i = from; i < model.length; i++) {
      rated++;
      equal += model[i] == drafter[i] ? 1 : 0;
    }
  }

  private double percent() {
    return 100.0 * equal / rated;
  }

  /** The best next token behind each. */
  private static int[] best(LanguageModel model, int[] tokens) {
    int[] best = new int[tokens.length];
    BitSet seen = new BitSet();
    LogitsObserver observer =
        new LogitsObserver() {
          @Override
          public void observe(int position, float[] logits, int count) {
            int top = 0;
            for (int i = 1; i < count; i++) {
              top = logits[i] > logits[top] ? i : top;
            }
            best[position] = top;
            seen.set(position);
          }

          @Override
          public boolean everyRow() {
            return true;
          }
        };
    GenerateRequest request = GenerateRequest.of(tokens).withMaxTokens(0).withObserver(observer);
    var _ = model.engine().submit(request).finishReason();
    if (seen.cardinality() != tokens.length) {
      throw new IllegalStateException("%d of %d rows".formatted(seen.cardinality(), tokens.length));
    }
    return best;
  }

  private static int[] continued(LanguageModel model, int[] beginning) {
    String text = model.model().vocabulary().decode(beginning);
    GenerateOptions greedy = GenerateOptions.greedy().withMaxTokens(TOKENS_MAX - BEGINNING);
    String all = text + model.complete(text, greedy).text();
    return model.model().vocabulary().encode(all, true, false);
  }
}
