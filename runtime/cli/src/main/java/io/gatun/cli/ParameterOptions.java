package io.gatun.cli;

import io.gatun.adapters.training.FullParameters;
import io.gatun.adapters.training.LoraParameters;
import io.gatun.adapters.training.Parameters;
import io.gatun.adapters.training.PrefixParameters;
import io.gatun.adapters.training.PromptParameters;
import io.gatun.model.Model;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What is trained: options of {@code gatun train}. */
final class ParameterOptions {
  /** What is trained. */
  enum Kind {
    LORA,
    PROMPT,
    PREFIX,
    FULL
  }

  @Option(
      names = "--rank",
      paramLabel = "R",
      description = "Of a LoRA (default: ${DEFAULT-VALUE}).")
  int rank = 16;

  @Option(names = "--alpha", paramLabel = "A", description = "Of a LoRA (default: twice the rank).")
  float alpha;

  @Option(names = "--rs-lora", description = "Scale a LoRA by alpha/√rank.")
  boolean rankStabilised;

  @Option(
      names = "--dropout",
      paramLabel = "P",
      description = "Share of a LoRA's input that is left out while learning (default: none).")
  float dropout;

  @Option(names = "--dora", description = "Train the length of each row too (DoRA).")
  boolean dora;

  @Option(
      names = "--target",
      paramLabel = "REGEX",
      description =
          "Names of the tensors that are trained (default: all, or for a LoRA the projections of attention, feed-forward networks and experts).")
  @Nullable String target;

  @Option(
      names = "--prompt-rows",
      paramLabel = "N",
      description = "Rows of a soft prompt or a prefix (default: ${DEFAULT-VALUE}).")
  int promptRows = 16;

  @Option(
      names = "--prompt-text",
      paramLabel = "TEXT",
      description = "What a soft prompt begins with.")
  String promptText = "The";

  /** What is trained of a model. */
  Parameters of(Kind kind, Model loaded) {
    return switch (kind) {
      case LORA ->
          LoraParameters.ofRank(rank)
              .withAlpha(alpha == 0 ? 2f * rank : alpha)
              .withRankStabilised(rankStabilised)
              .withDropout(dropout)
              .withMagnitudes(dora)
              .withTargets(target == null ? LoraParameters.ALL_LINEAR : Pattern.compile(target));
      case PROMPT ->
          PromptParameters.ofText(
              loaded, promptRows, loaded.vocabulary().encode(promptText, false, false));
      case PREFIX -> new PrefixParameters(promptRows);
      case FULL ->
          target == null ? FullParameters.all() : new FullParameters(Pattern.compile(target));
    };
  }
}
