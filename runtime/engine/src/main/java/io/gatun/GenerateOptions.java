package io.gatun;

import io.gatun.engine.AdapterUse;
import io.gatun.engine.ContextPolicy;
import io.gatun.engine.Service;
import io.gatun.engine.grammar.Grammar;
import io.gatun.engine.sample.SamplerSettings;
import io.gatun.model.adapter.Adapter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * How text is generated.
 *
 * @param maxTokens the most tokens; {@link Integer#MAX_VALUE} for what the context holds, or
 *     without end when the context policy forgets
 * @param sampling how tokens are chosen
 * @param stop texts that end the completion and do not appear in it
 * @param parseSpecial whether text like {@code <|im_end|>} in the prompt becomes the token of that
 *     name; keep it off for text from people who are not trusted
 * @param adapters what changes the model for this text alone
 * @param grammar what the text has to look like, if that matters
 * @param contextPolicy what is forgotten when the context is full; the text ends unless told
 *     otherwise
 * @param logprobs how many of the best tokens' log-probabilities come with each token; −1 for none
 *     at all, 0 for only the token's own
 * @param shown special tokens that appear in the text by their names, as some mark where an answer
 *     or a tool call begins; others show nothing
 * @param service how the text is served beside others
 */
public record GenerateOptions(
    int maxTokens,
    SamplerSettings sampling,
    List<String> stop,
    boolean parseSpecial,
    List<AdapterUse> adapters,
    Optional<Grammar> grammar,
    ContextPolicy contextPolicy,
    int logprobs,
    Set<Integer> shown,
    Service service) {
  public GenerateOptions {
    adapters = List.copyOf(adapters);
    stop = List.copyOf(stop);
    shown = Set.copyOf(shown);
    if (maxTokens < 1) {
      throw new IllegalArgumentException("maxTokens must be at least 1, got " + maxTokens);
    }
    if (stop.contains("")) {
      throw new IllegalArgumentException("a stop text must not be empty");
    }
  }

  /** What the context holds, at temperature 0.8, a new seed each time. */
  public static GenerateOptions defaults() {
    return new GenerateOptions(
        Integer.MAX_VALUE,
        SamplerSettings.standard().withSeed(System.nanoTime()),
        List.of(),
        false,
        List.of(),
        Optional.empty(),
        ContextPolicy.stop(),
        -1,
        Set.of(),
        Service.ordinary());
  }

  /** Always the most probable token. */
  public static GenerateOptions greedy() {
    return new GenerateOptions(
        Integer.MAX_VALUE,
        SamplerSettings.greedy(),
        List.of(),
        false,
        List.of(),
        Optional.empty(),
        ContextPolicy.stop(),
        -1,
        Set.of(),
        Service.ordinary());
  }

  public GenerateOptions withMaxTokens(int tokens) {
    return new GenerateOptions(
        tokens,
        sampling,
        stop,
        parseSpecial,
        adapters,
        grammar,
        contextPolicy,
        logprobs,
        shown,
        service);
  }

  public GenerateOptions withSampling(SamplerSettings settings) {
    return new GenerateOptions(
        maxTokens,
        settings,
        stop,
        parseSpecial,
        adapters,
        grammar,
        contextPolicy,
        logprobs,
        shown,
        service);
  }

  public GenerateOptions withTemperature(float temperature) {
    return withSampling(sampling.withTemperature(temperature));
  }

  public GenerateOptions withSeed(long seed) {
    return withSampling(sampling.withSeed(seed));
  }

  public GenerateOptions withStop(String... texts) {
    return new GenerateOptions(
        maxTokens,
        sampling,
        List.of(texts),
        parseSpecial,
        adapters,
        grammar,
        contextPolicy,
        logprobs,
        shown,
        service);
  }

  public GenerateOptions withParseSpecial(boolean parse) {
    return new GenerateOptions(
        maxTokens,
        sampling,
        stop,
        parse,
        adapters,
        grammar,
        contextPolicy,
        logprobs,
        shown,
        service);
  }

  /** Adds an adapter to those that act; 1 is its strength as trained. */
  public GenerateOptions withAdapter(Adapter adapter, float scale) {
    List<AdapterUse> more = new ArrayList<>(adapters);
    more.add(new AdapterUse(adapter, scale));
    return withAdapters(more);
  }

  /** Only text of this form. */
  public GenerateOptions withGrammar(Grammar other) {
    return new GenerateOptions(
        maxTokens,
        sampling,
        stop,
        parseSpecial,
        adapters,
        Optional.of(other),
        contextPolicy,
        logprobs,
        shown,
        service);
  }

  /** What happens when the context is full. */
  public GenerateOptions withContextPolicy(ContextPolicy other) {
    return new GenerateOptions(
        maxTokens,
        sampling,
        stop,
        parseSpecial,
        adapters,
        grammar,
        other,
        logprobs,
        shown,
        service);
  }

  /** With log-probabilities of each token and of so many of the best ones at its place. */
  public GenerateOptions withLogprobs(int top) {
    return new GenerateOptions(
        maxTokens,
        sampling,
        stop,
        parseSpecial,
        adapters,
        grammar,
        contextPolicy,
        top,
        shown,
        service);
  }

  /** With these special tokens in the text, by their names. */
  public GenerateOptions withShown(Set<Integer> tokens) {
    return new GenerateOptions(
        maxTokens,
        sampling,
        stop,
        parseSpecial,
        adapters,
        grammar,
        contextPolicy,
        logprobs,
        tokens,
        service);
  }

  /** How the text is served beside others. */
  public GenerateOptions withService(Service other) {
    return new GenerateOptions(
        maxTokens,
        sampling,
        stop,
        parseSpecial,
        adapters,
        grammar,
        contextPolicy,
        logprobs,
        shown,
        other);
  }

  /** Exactly these adapters. */
  public GenerateOptions withAdapters(List<AdapterUse> uses) {
    return new GenerateOptions(
        maxTokens,
        sampling,
        stop,
        parseSpecial,
        uses,
        grammar,
        contextPolicy,
        logprobs,
        shown,
        service);
  }
}
