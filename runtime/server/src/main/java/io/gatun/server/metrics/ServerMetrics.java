package io.gatun.server.metrics;

import io.gatun.engine.Engine;
import io.gatun.server.generate.Choices;
import io.gatun.server.generate.GenerationListener;
import io.gatun.server.models.ModelUse;
import io.gatun.server.models.ServedModels;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntSupplier;
import java.util.function.ToDoubleFunction;

/** Counts and measures what a server does. Thread-safe. */
public final class ServerMetrics implements GenerationListener, AutoCloseable {
  private static final Duration[] FIRST_TOKEN =
      millis(5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000);
  private static final Duration[] NEXT_TOKEN =
      millis(1, 2, 5, 10, 20, 30, 50, 75, 100, 200, 500, 1000, 5000);

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final ServedModels models;
  private final List<EngineGauge> gauges = new ArrayList<>();

  /** One number of each loaded model's engine. */
  private record EngineGauge(MultiGauge gauge, ToDoubleFunction<Engine.Statistics> value) {}

  /**
   * @param requests how many requests are being answered
   */
  public ServerMetrics(ServedModels models, IntSupplier requests) {
    this.models = models;
    Gauge.builder("gatun.requests.running", requests::getAsInt)
        .description("Requests that are being answered")
        .register(registry);
    engine("gatun.sequences.running", "Texts that are being generated", s -> s.running());
    engine("gatun.sequences.waiting", "Texts that wait for their turn", s -> s.waiting());
    engine("gatun.kv.cells.free", "Cells of the KV cache that nobody uses", s -> s.freeCells());
    engine("gatun.prefix.tokens", "Tokens kept of finished prompts", s -> s.prefixTokens());
    engine(
        "gatun.prefix.hit.tokens",
        "Tokens that were not computed again, since the model was loaded",
        s -> s.prefixTokensFound());
    engine("gatun.steps", "Steps computed since the model was loaded", s -> s.steps());
  }

  private void engine(String name, String what, ToDoubleFunction<Engine.Statistics> value) {
    gauges.add(
        new EngineGauge(MultiGauge.builder(name).description(what).register(registry), value));
  }

  /** A request was answered, or refused. */
  public void answered(String path, int status) {
    Counter.builder("gatun.requests")
        .description("Requests that were answered, by address and status")
        .tags("path", path, "status", Integer.toString(status))
        .register(registry)
        .increment();
  }

  @Override
  public void firstToken(String model, long nanos) {
    Timer.builder("gatun.time.to.first.token")
        .description("From a request to the first token of its text")
        .serviceLevelObjectives(FIRST_TOKEN)
        .tag("model", model)
        .register(registry)
        .record(Duration.ofNanos(nanos));
  }

  @Override
  public void moreTokens(String model, int count, long nanosEach) {
    Timer timer =
        Timer.builder("gatun.inter.token.latency")
            .description("From a token to the next of the same text")
            .serviceLevelObjectives(NEXT_TOKEN)
            .tag("model", model)
            .register(registry);
    for (int i = 0; i < count; i++) {
      timer.record(Duration.ofNanos(nanosEach));
    }
  }

  @Override
  public void finished(String model, Choices.Totals totals) {
    count("gatun.prompt.tokens", "Tokens of prompts", model, totals.prompt());
    count("gatun.cached.tokens", "Tokens of prompts found in the cache", model, totals.cached());
    count("gatun.completion.tokens", "Tokens generated", model, totals.completion());
  }

  private void count(String name, String what, String model, int tokens) {
    Counter.builder(name)
        .description(what)
        .tag("model", model)
        .register(registry)
        .increment(tokens);
  }

  /** Everything, as Prometheus reads it. */
  public String scrape() {
    List<Measured> measured = new ArrayList<>();
    List<ModelUse> loaded = models.loadedTexts();
    try {
      for (ModelUse use : loaded) {
        measured.add(new Measured(use.name(), use.text().engine().statistics()));
      }
    } finally {
      loaded.forEach(ModelUse::close);
    }
    for (EngineGauge each : gauges) {
      each.gauge().register(measured.stream().map(m -> m.row(each.value())).toList(), true);
    }
    return registry.scrape();
  }

  /** A model's engine at one moment. */
  private record Measured(String model, Engine.Statistics statistics) {
    MultiGauge.Row<?> row(ToDoubleFunction<Engine.Statistics> value) {
      return MultiGauge.Row.of(Tags.of("model", model), value.applyAsDouble(statistics));
    }
  }

  private static Duration[] millis(int... all) {
    Duration[] durations = new Duration[all.length];
    for (int i = 0; i < all.length; i++) {
      durations[i] = Duration.ofMillis(all[i]);
    }
    return durations;
  }

  @Override
  public void close() {
    registry.close();
  }
}
