package io.gatun.engine;

import io.gatun.engine.grammar.Grammar;
import io.gatun.engine.sample.SamplerSettings;
import io.gatun.model.adapter.KeyValuePrefix;
import io.gatun.model.adapter.SoftPrompt;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What a caller wants: tokens in, tokens out. Text is the business of the façade.
 *
 * @param prompt token ids, at least one; owned by the callee
 * @param sampling how tokens are chosen
 * @param limits when to end
 * @param logprobs how many of the best tokens' log-probabilities come with each token; −1 for none
 *     at all, 0 for only the token's own
 * @param keep where the computed keys and values stay afterwards, for a next request
 * @param observer sees the logits, if given
 * @param adapters what changes the model for this request alone; prefixes come before everything,
 *     soft prompts before the prompt, in their order
 * @param grammar what the completion has to look like, if that matters
 * @param policy what is forgotten when there is no room for another token
 * @param service how it is served beside others
 */
public record GenerateRequest(
    int[] prompt,
    SamplerSettings sampling,
    Limits limits,
    int logprobs,
    Optional<KvSequence> keep,
    Optional<LogitsObserver> observer,
    List<AdapterUse> adapters,
    Optional<Grammar> grammar,
    ContextPolicy policy,
    Service service) {

  public GenerateRequest {
    adapters = List.copyOf(adapters);
    if (prompt.length == 0) {
      throw new IllegalArgumentException("the prompt has no tokens");
    }
    if (logprobs < -1 || logprobs > 1000) {
      throw new IllegalArgumentException("logprobs must be -1 to 1000, got " + logprobs);
    }
  }

  /** A greedy request without limits of its own. */
  public static GenerateRequest of(int... prompt) {
    return new GenerateRequest(
        prompt,
        SamplerSettings.greedy(),
        Limits.none(),
        -1,
        Optional.empty(),
        Optional.empty(),
        List.of(),
        Optional.empty(),
        ContextPolicy.stop(),
        Service.ordinary());
  }

  public GenerateRequest withSampling(SamplerSettings settings) {
    return new GenerateRequest(
        prompt, settings, limits, logprobs, keep, observer, adapters, grammar, policy, service);
  }

  public GenerateRequest withLimits(Limits other) {
    return new GenerateRequest(
        prompt, sampling, other, logprobs, keep, observer, adapters, grammar, policy, service);
  }

  public GenerateRequest withMaxTokens(int tokens) {
    return withLimits(new Limits(tokens, limits.ignoreEnd(), limits.stopTokens()));
  }

  public GenerateRequest withLogprobs(int top) {
    return new GenerateRequest(
        prompt, sampling, limits, top, keep, observer, adapters, grammar, policy, service);
  }

  public GenerateRequest withKeep(KvSequence cache) {
    return new GenerateRequest(
        prompt,
        sampling,
        limits,
        logprobs,
        Optional.of(cache),
        observer,
        adapters,
        grammar,
        policy,
        service);
  }

  public GenerateRequest withObserver(LogitsObserver seeing) {
    return new GenerateRequest(
        prompt,
        sampling,
        limits,
        logprobs,
        keep,
        Optional.of(seeing),
        adapters,
        grammar,
        policy,
        service);
  }

  public GenerateRequest withAdapters(List<AdapterUse> uses) {
    return new GenerateRequest(
        prompt, sampling, limits, logprobs, keep, observer, uses, grammar, policy, service);
  }

  public GenerateRequest withGrammar(Grammar other) {
    return new GenerateRequest(
        prompt,
        sampling,
        limits,
        logprobs,
        keep,
        observer,
        adapters,
        Optional.of(other),
        policy,
        service);
  }

  /** What happens when the context is full; the generation ends unless told otherwise. */
  public GenerateRequest withContextPolicy(ContextPolicy other) {
    return new GenerateRequest(
        prompt, sampling, limits, logprobs, keep, observer, adapters, grammar, other, service);
  }

  /** How it is served beside others. */
  public GenerateRequest withService(Service other) {
    return new GenerateRequest(
        prompt, sampling, limits, logprobs, keep, observer, adapters, grammar, policy, other);
  }

  /** How many rows of prefixes and soft prompts come before the prompt. */
  int rowsBefore() {
    return rowsBefore(adapters);
  }

  /** How many rows of prefixes come before everything else. */
  int prefixRows() {
    return rows(adapters, true);
  }

  /** How many rows adapters put before the first token. */
  static int rowsBefore(List<AdapterUse> adapters) {
    return rows(adapters, true) + rows(adapters, false);
  }

  private static int rows(List<AdapterUse> adapters, boolean prefixes) {
    int rows = 0;
    for (AdapterUse use : adapters) {
      rows +=
          switch (use.adapter()) {
            case KeyValuePrefix prefix -> prefixes ? prefix.rows() : 0;
            case SoftPrompt soft -> prefixes ? 0 : soft.rows();
            default -> 0;
          };
    }
    return rows;
  }

  /** The prompt with a place for each row of prefixes and soft prompts before it. */
  int[] rows() {
    int before = rowsBefore(adapters);
    int[] rows = new int[before + prompt.length];
    System.arraycopy(prompt, 0, rows, before, prompt.length);
    return rows;
  }

  /**
   * When a completion ends.
   *
   * @param maxTokens the most tokens; {@link Integer#MAX_VALUE} for what the context holds, or
   *     without end when its policy forgets; 0 only computes the prompt
   * @param ignoreEnd whether to go on after end-of-generation tokens, for measurements
   * @param stopTokens further tokens that end it, and do not appear
   */
  public record Limits(int maxTokens, boolean ignoreEnd, Set<Integer> stopTokens) {
    public Limits {
      if (maxTokens < 0) {
        throw new IllegalArgumentException("maxTokens must not be negative, got " + maxTokens);
      }
      stopTokens = Set.copyOf(stopTokens);
    }

    public static Limits none() {
      return new Limits(Integer.MAX_VALUE, false, Set.of());
    }
  }
}
