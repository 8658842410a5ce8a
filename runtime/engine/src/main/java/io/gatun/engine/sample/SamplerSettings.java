package io.gatun.engine.sample;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.ToIntFunction;

/**
 * How tokens are chosen: processors in order, and a final choice. A value; share it freely.
 *
 * @param processors applied first to last
 * @param seed of the random numbers; equal seeds give equal texts
 */
public record SamplerSettings(List<LogitsProcessor> processors, Choice choice, long seed) {
  /** The order in which processors are applied unless another is asked for; as in llama.cpp. */
  public static final List<Class<? extends LogitsProcessor>> STANDARD_ORDER =
      List.of(
          LogitBias.class,
          Penalties.class,
          Dry.class,
          TopNSigma.class,
          TopK.class,
          Typical.class,
          TopP.class,
          MinP.class,
          Xtc.class,
          Temperature.class);

  public SamplerSettings {
    processors = List.copyOf(processors);
  }

  /** Always the most probable token. */
  public static SamplerSettings greedy() {
    return new SamplerSettings(List.of(), new Choice.Greedy(), 0);
  }

  /** What most people want: top-k 40, top-p 0.95, min-p 0.05, temperature 0.8. */
  public static SamplerSettings standard() {
    return new SamplerSettings(
        List.of(new TopK(40), new TopP(0.95f), new MinP(0.05f), new Temperature(0.8f)),
        new Choice.Draw(),
        0);
  }

  /** With a processor at its standard place, instead of one of the same kind. */
  public SamplerSettings with(LogitsProcessor processor) {
    List<LogitsProcessor> changed = new ArrayList<>(processors);
    for (int i = 0; i < changed.size(); i++) {
      if (changed.get(i).getClass() == processor.getClass()) {
        changed.set(i, processor);
        return new SamplerSettings(changed, choice, seed);
      }
    }
    changed.add(processor);
    changed.sort(Comparator.comparingInt(rank(STANDARD_ORDER)));
    return new SamplerSettings(changed, choice, seed);
  }

  /** Greedy for 0, else a random draw at this temperature. */
  public SamplerSettings withTemperature(float temperature) {
    return temperature == 0f
        ? withChoice(new Choice.Greedy())
        : with(new Temperature(temperature)).withChoice(new Choice.Draw());
  }

  public SamplerSettings withChoice(Choice other) {
    return new SamplerSettings(processors, other, seed);
  }

  public SamplerSettings withSeed(long other) {
    return new SamplerSettings(processors, choice, other);
  }

  /** The same processors in another order; kinds that it does not name come first. */
  public SamplerSettings withOrder(List<Class<? extends LogitsProcessor>> order) {
    List<LogitsProcessor> changed = new ArrayList<>(processors);
    changed.sort(Comparator.comparingInt(rank(order)));
    return new SamplerSettings(changed, choice, seed);
  }

  /** The kind of processor with a name like {@code top-k}. */
  public static Optional<Class<? extends LogitsProcessor>> kind(String name) {
    String wanted = name.replace("-", "").replace("_", "");
    for (Class<? extends LogitsProcessor> kind : STANDARD_ORDER) {
      if (kind.getSimpleName().equalsIgnoreCase(wanted)) {
        return Optional.of(kind);
      }
    }
    return Optional.empty();
  }

  private static ToIntFunction<LogitsProcessor> rank(List<Class<? extends LogitsProcessor>> order) {
    return processor -> order.indexOf(processor.getClass());
  }
}
