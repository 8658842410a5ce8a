package io.gatun.engine;

import io.gatun.model.UnsupportedModelException;
import io.gatun.model.adapter.Adapter;
import io.gatun.model.adapter.AdapterFile;
import io.gatun.model.adapter.ControlVector;
import io.gatun.model.adapter.LoraAdapter;
import io.gatun.tensor.DType;
import io.gatun.tensor.llama.LlamaAdapter;
import io.gatun.tensor.llama.LlamaContext;
import io.gatun.tensor.llama.LlamaModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * LoRAs and control vectors in libllama. It reads LoRAs from files only, so each is written into
 * one for it. What acts, acts on whole decodes: rows of different adapters are computed one after
 * the other.
 *
 * @owner the engine's thread
 */
final class LlamaAdapters implements AdapterPool, AutoCloseable {
  private final LlamaModel model;
  private final LlamaContext context;
  private final int width;
  private final int layers;
  private final Map<Adapter, Resident> residents = new LinkedHashMap<>(16, 0.75f, true);
  private List<AdapterUse> active = List.of();

  /** An adapter, what libllama has of it, and how many requests use it. */
  private static final class Resident {
    private final Optional<LlamaAdapter> lora;
    private int uses;

    private Resident(Optional<LlamaAdapter> lora) {
      this.lora = lora;
    }
  }

  LlamaAdapters(LlamaModel model, LlamaContext context, int width, int layers) {
    this.model = model;
    this.context = context;
    this.width = width;
    this.layers = layers;
  }

  @Override
  public void acquire(List<AdapterUse> uses) {
    for (AdapterUse use : uses) {
      requireKnown(use.adapter());
    }
    for (AdapterUse use : uses) {
      residents.computeIfAbsent(use.adapter(), this::load).uses++;
    }
  }

  @Override
  public void release(List<AdapterUse> uses) {
    for (AdapterUse use : uses) {
      Resident resident = residents.get(use.adapter());
      if (resident != null) {
        resident.uses--;
      }
    }
  }

  @Override
  public List<Adapter> list() {
    return List.copyOf(residents.keySet());
  }

  @Override
  public void evict(Adapter adapter) {
    Resident resident = residents.get(adapter);
    if (resident != null && resident.uses > 0) {
      throw new IllegalStateException(
          "adapter %s is used by %d running requests".formatted(adapter.name(), resident.uses));
    }
    if (resident != null) {
      activate(List.of());
      resident.lora.ifPresent(LlamaAdapter::close);
      residents.remove(adapter);
    }
  }

  /** Lets exactly these act on what is decoded from now on. */
  void activate(List<AdapterUse> uses) {
    if (uses.equals(active)) {
      return;
    }
    List<LlamaAdapter> loras = new ArrayList<>();
    List<Float> scales = new ArrayList<>();
    float[] directions = new float[width * Math.max(0, layers - 1)];
    boolean steers = false;
    for (AdapterUse use : uses) {
      if (use.adapter() instanceof ControlVector vector) {
        steers = true;
        add(vector, use.scale(), directions);
      } else {
        loras.add(Objects.requireNonNull(residents.get(use.adapter())).lora.orElseThrow());
        scales.add(use.scale());
      }
    }
    float[] factors = new float[scales.size()];
    for (int i = 0; i < factors.length; i++) {
      factors[i] = scales.get(i);
    }
    context.setAdapters(loras, factors);
    if (steers) {
      context.setControlVector(directions, width);
    } else if (active.stream().anyMatch(u -> u.adapter() instanceof ControlVector)) {
      context.clearControlVector();
    }
    active = List.copyOf(uses);
  }

  private void add(ControlVector vector, float scale, float[] directions) {
    vector
        .directions()
        .forEach((layer, direction) -> {
          int at = (layer - 1) * width;
          for (int i = 0; i < width; i++) {
            directions[at + i] += scale * direction[i];
          }
        });
  }

  private static void requireKnown(Adapter adapter) {
    boolean known =
        switch (adapter) {
          case LoraAdapter lora -> !lora.rescales();
          case ControlVector vector -> !vector.directions().containsKey(0);
          default -> false;
        };
    if (!known) {
      throw new UnsupportedModelException(
          "adapter %s: libllama computes this model, and it knows plain LoRAs and control vectors of layers from 1 on, not %s"
              .formatted(adapter.name(), adapter.getClass().getSimpleName()));
    }
  }

  private Resident load(Adapter adapter) {
    if (!(adapter instanceof LoraAdapter)) {
      return new Resident(Optional.empty());
    }
    try {
      Path file = Files.createTempFile("gatun-adapter", ".gguf");
      try {
        AdapterFile.write(adapter, DType.F32, file);
        return new Resident(Optional.of(model.adapter(file)));
      } finally {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot write adapter %s into a file for libllama: %s"
              .formatted(adapter.name(), e.getMessage()),
          e);
    }
  }

  @Override
  public void close() {
    residents.values().forEach(r -> r.lora.ifPresent(LlamaAdapter::close));
    residents.clear();
  }
}
