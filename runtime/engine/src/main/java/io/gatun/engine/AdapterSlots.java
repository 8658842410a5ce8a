package io.gatun.engine;

import io.gatun.model.Model;
import io.gatun.model.adapter.Adapter;
import io.gatun.model.adapter.ControlVector;
import io.gatun.model.adapter.KeyValuePrefix;
import io.gatun.model.adapter.LoraAdapter;
import io.gatun.model.adapter.SoftPrompt;
import io.gatun.tensor.CapacityException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Which adapters are in an engine's memory, and in which slot. The one that was not used for
 * longest makes room when a new one comes; those of running requests stay. When a new one does not
 * fit the bank's shape, a larger bank takes its place.
 *
 * @owner the engine's thread
 */
final class AdapterSlots implements AdapterPool, AutoCloseable {
  private final Model model;
  private final long bytesMax;
  private final Runnable dropGraphs;
  private final Map<Adapter, Resident> residents = new LinkedHashMap<>(16, 0.75f, true);
  private @Nullable AdapterBank bank;
  private long number;

  /** An adapter in a slot, and how many requests use it. */
  private static final class Resident {
    private int slot;
    private int uses;

    private Resident(int slot) {
      this.slot = slot;
    }
  }

  enum Kind {
    LORA,
    VECTOR,
    SOFT,
    PREFIX
  }

  /** One adapter of a row. */
  record Used(Kind kind, int slot, float scale) {}

  /**
   * @param bytesMax the most memory of the bank
   * @param dropGraphs forgets all graphs that use the bank, before it goes
   */
  AdapterSlots(Model model, long bytesMax, Runnable dropGraphs) {
    this.model = model;
    this.bytesMax = bytesMax;
    this.dropGraphs = dropGraphs;
  }

  @Override
  public void acquire(List<AdapterUse> uses) {
    List<Adapter> taken = new ArrayList<>();
    try {
      for (AdapterUse use : uses) {
        if (!(use.adapter() instanceof KeyValuePrefix)) { // which goes into the cache
          resident(use.adapter()).uses++;
          taken.add(use.adapter());
        }
      }
    } catch (RuntimeException e) {
      taken.forEach(this::release);
      throw e;
    }
  }

  @Override
  public void release(List<AdapterUse> uses) {
    uses.forEach(use -> release(use.adapter()));
  }

  private void release(Adapter adapter) {
    Resident resident = residents.get(adapter);
    if (resident != null) {
      resident.uses--;
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
    residents.remove(adapter);
  }

  /** Bytes of the bank. */
  long bytes() {
    return bank == null ? 0 : bank.shape().bytes(width());
  }

  /** Which graph a batch needs. */
  AdapterGraph.Key key(Batch batch) {
    int loras = 0;
    int vectors = 0;
    boolean rescales = false;
    boolean soft = false;
    Sequence before = null;
    for (int row = 0; row < batch.rows(); row++) {
      Sequence sequence = batch.sequence(row);
      soft |= batch.position(row) < sequence.rowsBefore();
      if (sequence != before) {
        loras = Math.max(loras, count(sequence, Kind.LORA));
        vectors = Math.max(vectors, count(sequence, Kind.VECTOR));
        rescales |= sequence.request().adapters().stream().anyMatch(AdapterSlots::rescales);
        before = sequence;
      }
    }
    return loras + vectors == 0 && !soft
        ? AdapterGraph.Key.NONE
        : new AdapterGraph.Key(number, loras, rescales, vectors, soft);
  }

  AdapterBank bank() {
    return Objects.requireNonNull(bank);
  }

  /** The adapters of a sequence and their slots. */
  List<Used> used(Sequence sequence) {
    List<Used> used = new ArrayList<>();
    for (AdapterUse use : sequence.request().adapters()) {
      Resident resident = residents.get(use.adapter());
      if (resident != null) {
        used.add(new Used(kind(use.adapter()), resident.slot, use.scale()));
      }
    }
    return used;
  }

  /** The row of the bank's table for a position of a sequence's soft prompts. */
  int softRow(Sequence sequence, int position) {
    int before = sequence.prefixRows();
    for (AdapterUse use : sequence.request().adapters()) {
      if (use.adapter() instanceof SoftPrompt soft) {
        if (position < before + soft.rows()) {
          int slot = Objects.requireNonNull(residents.get(soft)).slot;
          return slot * bank().shape().softRows() + position - before;
        }
        before += soft.rows();
      }
    }
    throw new IllegalArgumentException(
        "position %d is behind the soft prompts".formatted(position));
  }

  @Override
  public void close() {
    if (bank != null) {
      bank.close();
    }
  }

  private Resident resident(Adapter adapter) {
    Resident known = residents.get(adapter);
    if (known != null) {
      return known;
    }
    AdapterShape now = bank == null ? AdapterShape.empty(0) : bank.shape();
    if (bank != null && now.with(adapter).equals(now)) {
      int slot = freeSlot(now);
      if (slot >= 0) {
        bank.put(slot, adapter);
        Resident resident = new Resident(slot);
        residents.put(adapter, resident);
        return resident;
      }
    }
    return rebuilt(adapter);
  }

  private int freeSlot(AdapterShape shape) {
    boolean[] taken = new boolean[shape.slots()];
    residents.values().forEach(r -> taken[r.slot] = true);
    for (int slot = 0; slot < taken.length; slot++) {
      if (!taken[slot]) {
        return slot;
      }
    }
    // No more slots within the budget: the oldest idle one goes.
    if (larger(shape).bytes(width()) > bytesMax) {
      for (var entry : residents.entrySet()) {
        if (entry.getValue().uses == 0) {
          residents.remove(entry.getKey());
          return entry.getValue().slot;
        }
      }
    }
    return -1;
  }

  private static AdapterShape larger(AdapterShape s) {
    return new AdapterShape(
        2 * s.slots(), s.rank(), s.matrices(), s.softRows(), s.layers(), s.half());
  }

  /** A bank with room for one more adapter, and all that stay. */
  private Resident rebuilt(Adapter adapter) {
    AdapterShape shape = shapeWith(adapter);
    while (shape.bytes(width()) > bytesMax) {
      Adapter idle =
          residents.entrySet().stream()
              .filter(e -> e.getValue().uses == 0)
              .map(Map.Entry::getKey)
              .findFirst()
              .orElseThrow(() -> tooLarge(adapter));
      residents.remove(idle);
      shape = shapeWith(adapter);
    }
    AdapterBank larger = new AdapterBank(model, shape);
    dropGraphs.run();
    if (bank != null) {
      bank.close();
    }
    bank = larger;
    number++;
    residents.put(adapter, new Resident(0));
    int slot = 0;
    for (var entry : residents.entrySet()) {
      entry.getValue().slot = slot;
      larger.put(slot++, entry.getKey());
    }
    return Objects.requireNonNull(residents.get(adapter));
  }

  private AdapterShape shapeWith(Adapter adapter) {
    int count = residents.size() + 1;
    int slots = count == 1 ? 1 : Integer.highestOneBit(count - 1) * 2;
    AdapterShape shape = AdapterShape.empty(slots).with(adapter);
    for (Adapter resident : residents.keySet()) {
      shape = shape.with(resident);
    }
    return shape;
  }

  private CapacityException tooLarge(Adapter adapter) {
    return new CapacityException(
        "adapter %s does not fit beside those in use: adapters may take %d MiB"
            .formatted(adapter.name(), bytesMax >> 20));
  }

  private int width() {
    return model.hyperparams().embeddingLength();
  }

  private static int count(Sequence sequence, Kind kind) {
    int count = 0;
    for (AdapterUse use : sequence.request().adapters()) {
      count += kind(use.adapter()) == kind ? 1 : 0;
    }
    return count;
  }

  private static boolean rescales(AdapterUse use) {
    return use.adapter() instanceof LoraAdapter lora && lora.rescales();
  }

  private static Kind kind(Adapter adapter) {
    return switch (adapter) {
      case LoraAdapter _ -> Kind.LORA;
      case ControlVector _ -> Kind.VECTOR;
      case SoftPrompt _ -> Kind.SOFT;
      case KeyValuePrefix _ -> Kind.PREFIX;
    };
  }
}
