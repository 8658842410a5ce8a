package io.gatun.cli;

import io.gatun.GenerateOptions;
import io.gatun.engine.sample.Breakers;
import io.gatun.engine.sample.Choice;
import io.gatun.engine.sample.Dry;
import io.gatun.engine.sample.LogitBias;
import io.gatun.engine.sample.LogitsProcessor;
import io.gatun.engine.sample.MinP;
import io.gatun.engine.sample.Penalties;
import io.gatun.engine.sample.SamplerSettings;
import io.gatun.engine.sample.Temperature;
import io.gatun.engine.sample.TopK;
import io.gatun.engine.sample.TopNSigma;
import io.gatun.engine.sample.TopP;
import io.gatun.engine.sample.Typical;
import io.gatun.engine.sample.Xtc;
import io.gatun.model.Vocabulary;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** How tokens are chosen and when to end. */
final class SamplingOptions {
  @Option(
      names = {"-n", "--max-tokens"},
      paramLabel = "N",
      description = "The most tokens (default: what the context holds).")
  int maxTokens = Integer.MAX_VALUE;

  @Option(names = "--greedy", description = "Always take the most probable token.")
  boolean greedy;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Start of the random numbers (default: a new one each time).")
  @Nullable Long seed;

  @Option(names = "--stop", paramLabel = "TEXT", description = "Text that ends it; repeatable.")
  List<String> stop = new ArrayList<>();

  @ArgGroup(validate = false, heading = "%nSampling:%n")
  Processors processors = new Processors();

  /** The processors' parameters. */
  static final class Processors {
    @Option(names = "--temp", paramLabel = "X", description = "Temperature, 0 is greedy (0.8).")
    float temperature = 0.8f;

    @Option(
        names = "--temp-range",
        paramLabel = "X",
        description = "How far the temperature follows the entropy (0).")
    float temperatureRange;

    @Option(names = "--temp-exponent", paramLabel = "X", description = "How it follows (1).")
    float temperatureExponent = 1;

    @Option(names = "--top-k", paramLabel = "N", description = "Keep the N best, 0 for all (40).")
    int topK = 40;

    @Option(names = "--top-p", paramLabel = "X", description = "Keep this probability mass (0.95).")
    float topP = 0.95f;

    @Option(
        names = "--min-p",
        paramLabel = "X",
        description = "Keep this share of the best one's probability (0.05).")
    float minP = 0.05f;

    @Option(names = "--typical", paramLabel = "X", description = "Locally typical mass (1: off).")
    float typical = 1;

    @Option(
        names = "--top-n-sigma",
        paramLabel = "X",
        description = "Standard deviations (0: off).")
    float topNSigma;

    @Option(names = "--repeat-penalty", paramLabel = "X", description = "For used tokens (1: off).")
    float repeat = 1;

    @Option(names = "--frequency-penalty", paramLabel = "X", description = "Per use (0: off).")
    float frequency;

    @Option(names = "--presence-penalty", paramLabel = "X", description = "Once (0: off).")
    float presence;

    @Option(names = "--penalty-last-n", paramLabel = "N", description = "Tokens that count (64).")
    int lastN = 64;

    @Option(names = "--dry-multiplier", paramLabel = "X", description = "DRY's strength (0: off).")
    float dryMultiplier;

    @Option(names = "--dry-base", paramLabel = "X", description = "DRY's growth (1.75).")
    float dryBase = 1.75f;

    @Option(names = "--dry-allowed-length", paramLabel = "N", description = "Free repetitions (2).")
    int dryAllowed = 2;

    @Option(
        names = "--dry-last-n",
        paramLabel = "N",
        description = "Tokens DRY looks at (-1: all).")
    int dryLastN = -1;

    @Option(
        names = "--dry-breaker",
        paramLabel = "TEXT",
        description = "Text that no repetition contains; repeatable (line break, :, \", *).")
    List<String> dryBreakers = new ArrayList<>();

    @Option(names = "--xtc-probability", paramLabel = "X", description = "How often XTC acts (0).")
    float xtcProbability;

    @Option(names = "--xtc-threshold", paramLabel = "X", description = "XTC's threshold (0.1).")
    float xtcThreshold = 0.1f;

    @Option(names = "--mirostat", description = "Mirostat 2 instead of a plain draw.")
    boolean mirostat;

    @Option(names = "--mirostat-tau", paramLabel = "X", description = "Wanted surprise (5).")
    float tau = 5;

    @Option(names = "--mirostat-eta", paramLabel = "X", description = "Its learning rate (0.1).")
    float eta = 0.1f;

    @Option(
        names = "--logit-bias",
        paramLabel = "ID=X",
        description = "Adds to a token's logit; repeatable.")
    Map<Integer, Float> bias = new TreeMap<>();

    @Option(
        names = "--sampler-order",
        paramLabel = "NAMES",
        split = ",",
        description =
            "Order of the processors, for example penalties,dry,top-n-sigma,top-k,typical,top-p,min-p,xtc,temperature.")
    List<String> order = new ArrayList<>();
  }

  GenerateOptions options(Vocabulary vocabulary) {
    return GenerateOptions.greedy()
        .withMaxTokens(maxTokens)
        .withStop(stop.toArray(String[]::new))
        .withSampling(settings(vocabulary));
  }

  private SamplerSettings settings(Vocabulary vocabulary) {
    Processors p = processors;
    SamplerSettings settings =
        new SamplerSettings(List.of(), choice(), seed == null ? System.nanoTime() : seed);
    for (LogitsProcessor processor : active(vocabulary)) {
      settings = settings.with(processor);
    }
    if (p.order.isEmpty()) {
      return settings;
    }
    List<Class<? extends LogitsProcessor>> order = new ArrayList<>();
    for (String name : p.order) {
      order.add(
          SamplerSettings.kind(name.strip())
              .orElseThrow(
                  () -> new IllegalArgumentException("there is no sampler named " + name)));
    }
    return settings.withOrder(order);
  }

  private Choice choice() {
    Processors p = processors;
    if (greedy || p.temperature == 0) {
      return new Choice.Greedy();
    }
    return p.mirostat ? new Choice.Mirostat(p.tau, p.eta) : new Choice.Draw();
  }

  /**
   * The processors that do anything. With a greedy choice, those that cannot change the best one
   * go.
   */
  private List<LogitsProcessor> active(Vocabulary vocabulary) {
    Processors p = processors;
    List<LogitsProcessor> active = new ArrayList<>();
    if (!p.bias.isEmpty()) {
      active.add(new LogitBias(p.bias));
    }
    if (p.repeat != 1 || p.frequency != 0 || p.presence != 0) {
      active.add(new Penalties(p.lastN, p.repeat, p.frequency, p.presence));
    }
    if (p.dryMultiplier != 0) {
      active.add(
          new Dry(p.dryMultiplier, p.dryBase, p.dryAllowed, p.dryLastN, breakers(vocabulary)));
    }
    if (choice() instanceof Choice.Greedy) {
      return active;
    }
    if (p.topNSigma != 0) {
      active.add(new TopNSigma(p.topNSigma));
    }
    if (p.topK != 0 && !p.mirostat) {
      active.add(new TopK(p.topK));
    }
    if (p.typical != 1) {
      active.add(new Typical(p.typical));
    }
    if (p.topP != 1 && !p.mirostat) {
      active.add(new TopP(p.topP));
    }
    if (p.minP != 0 && !p.mirostat) {
      active.add(new MinP(p.minP));
    }
    if (p.xtcProbability != 0) {
      active.add(new Xtc(p.xtcProbability, p.xtcThreshold));
    }
    active.add(new Temperature(p.temperature, p.temperatureRange, p.temperatureExponent));
    return active;
  }

  private Breakers breakers(Vocabulary vocabulary) {
    List<String> texts =
        processors.dryBreakers.isEmpty() ? List.of("\n", ":", "\"", "*") : processors.dryBreakers;
    return Breakers.of(texts, vocabulary);
  }
}
