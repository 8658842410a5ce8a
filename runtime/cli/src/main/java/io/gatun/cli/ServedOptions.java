package io.gatun.cli;

import io.gatun.engine.EngineOptions;
import io.gatun.engine.PrefixCacheOptions;
import io.gatun.engine.SchedulingOptions;
import io.gatun.model.MemoryPlan;
import io.gatun.server.models.ModelFiles;
import io.gatun.server.models.ModelSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Which models are served, with which adapters, and how they are run. */
final class ServedOptions {
  @Parameters(
      arity = "0..*",
      paramLabel = "[NAME=]MODEL",
      description =
          "GGUF files or models to fetch, and the names that requests give them (default: the"
              + " file's).")
  List<String> named = List.of();

  @Option(
      names = "--adapter",
      paramLabel = "[MODEL/]NAME=FILE",
      description =
          "An adapter that requests may ask for by this name, for one model where there are"
              + " several; repeatable.")
  Map<String, Path> adapters = new LinkedHashMap<>();

  @Option(
      names = "--parallel",
      paramLabel = "N",
      description = "The most texts that a model generates at once (default: ${DEFAULT-VALUE}).")
  int parallel = EngineOptions.defaults().sequencesMax();

  @Option(
      names = "--stall-max",
      paramLabel = "MS",
      description =
          "About the longest that a running text may wait for the prompt of another; 0 for no"
              + " bound (default: ${DEFAULT-VALUE}).")
  int stallMax = 500;

  @Option(
      names = "--queue",
      paramLabel = "N",
      description = "The most texts of a model that wait for others (default: no bound).")
  int queue = Integer.MAX_VALUE;

  @Option(
      names = "--memory",
      paramLabel = "BYTES",
      description =
          "Memory for models, such as 8g; those in use least give way to others (default: what is"
              + " free).")
  @Nullable String memory;

  @Option(names = "--no-prefix-cache", description = "Keep nothing of prompts for later ones.")
  boolean noPrefixCache;

  @Mixin RunningOptions running = new RunningOptions();

  /** The models, at least one. */
  List<ModelSource> sources() throws IOException {
    Map<String, Path> files = files();
    Map<String, Map<String, Path>> chosen = new LinkedHashMap<>();
    files.keySet().forEach(name -> chosen.put(name, new LinkedHashMap<>()));
    adapters.forEach((target, file) -> choose(target, file, chosen));
    List<ModelSource> sources = new ArrayList<>();
    for (Map.Entry<String, Path> file : files.entrySet()) {
      sources.add(
          ModelFiles.source(
              file.getKey(),
              file.getValue(),
              running.loading(),
              engine(),
              chosen.getOrDefault(file.getKey(), Map.of())));
    }
    return sources;
  }

  private EngineOptions engine() {
    running.sequences = parallel;
    SchedulingOptions scheduling = SchedulingOptions.defaults().withQueueMax(queue);
    return running
        .running()
        .withScheduling(
            stallMax == 0 ? scheduling : scheduling.withStallMax(Duration.ofMillis(stallMax)))
        .withPrefixCache(noPrefixCache ? PrefixCacheOptions.none() : PrefixCacheOptions.all());
  }

  private Map<String, Path> files() throws IOException {
    if (named.isEmpty()) {
      addShippedAdapters();
      return Map.of("stories", ShippedModel.file());
    }
    Map<String, Path> files = new LinkedHashMap<>();
    for (String text : named) {
      int equals = text.indexOf('=');
      boolean given = equals > 0 && !Files.exists(Path.of(text));
      Path file = Models.file(given ? text.substring(equals + 1) : text);
      String name = given ? text.substring(0, equals) : nameOf(file);
      if (files.put(name, file) != null) {
        throw new IllegalArgumentException(
            "two models are named %s; name one yourself: NAME=%s".formatted(name, file));
      }
    }
    return files;
  }

  private void addShippedAdapters() throws IOException {
    for (String name : List.of("pirate", "rhyme")) {
      Path file = ShippedModel.adapter(name).orElseThrow();
      var _ = adapters.putIfAbsent(name, file);
    }
  }

  /** {@code NAME}, or {@code MODEL/NAME}. */
  private static void choose(String target, Path file, Map<String, Map<String, Path>> chosen) {
    int slash = target.lastIndexOf('/');
    if (slash < 0 && chosen.size() > 1) {
      throw new IllegalArgumentException(
          "--adapter %s: name the model too, as in MODEL/%s".formatted(target, target));
    }
    Map<String, Path> ofModel =
        slash < 0 ? chosen.values().iterator().next() : chosen.get(target.substring(0, slash));
    if (ofModel == null) {
      throw new IllegalArgumentException(
          "--adapter %s: there is no such model, only %s".formatted(target, chosen.keySet()));
    }
    ofModel.put(target.substring(slash + 1), file);
  }

  /** Memory for all models together. */
  long memory() {
    return memory == null ? MemoryPlan.availableBytes() : Sizes.bytes(memory);
  }

  private static String nameOf(Path file) {
    String name = String.valueOf(file.getFileName());
    return name.endsWith(".gguf") ? name.substring(0, name.length() - 5) : name;
  }
}
