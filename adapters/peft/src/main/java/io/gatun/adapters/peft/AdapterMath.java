package io.gatun.adapters.peft;

import io.gatun.model.adapter.Adapter;
import io.gatun.model.adapter.ControlVector;
import io.gatun.model.adapter.KeyValuePrefix;
import io.gatun.model.adapter.LoraAdapter;
import io.gatun.model.adapter.LowRank;
import io.gatun.model.adapter.SoftPrompt;
import io.gatun.tensor.CapacityException;
import io.gatun.tensor.ShapeException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Makes adapters of adapters. What has no meaning for a kind, such as half a soft prompt, is
 * refused.
 */
public final class AdapterMath {
  private AdapterMath() {}

  /** The same adapter, so many times as strong. */
  public static Adapter scaled(Adapter adapter, float factor) {
    return linear(adapter.name(), List.of(new Weighted(adapter, factor)));
  }

  /** What one adapter has beyond another. */
  public static Adapter subtract(String name, Adapter from, Adapter what) {
    return linear(name, List.of(new Weighted(from, 1), new Weighted(what, -1)));
  }

  /**
   * The sum of the changes, exactly: LoRAs with all ranks side by side, control vectors added up,
   * soft prompts one after another.
   *
   * @throws IllegalArgumentException when the adapters are of different kinds, or soft prompts are
   *     scaled
   * @throws ShapeException when they are not for the same model
   */
  public static Adapter linear(String name, List<Weighted> parts) {
    requireAlike(parts);
    return switch (parts.getFirst().adapter()) {
      case LoraAdapter first -> {
        if (parts.size() == 1) {
          yield times(name, first, parts.getFirst().scale());
        }
        Map<String, LowRank> sums = new TreeMap<>();
        for (String matrix : matrices(parts)) {
          sums.put(matrix, sideBySide(changes(parts, matrix)));
        }
        yield new LoraAdapter(name, first.architecture(), sums, shared(parts));
      }
      case ControlVector first -> sum(name, first, parts);
      case SoftPrompt first -> oneAfterAnother(name, first, parts);
      case KeyValuePrefix first ->
          throw new IllegalArgumentException(
              "%s: prefixes cannot be combined; a request may use several".formatted(first));
    };
  }

  /**
   * The sum of LoRAs at a chosen rank: the nearest one that there is, through the singular values
   * of the factors. Costs the square of the ranks' sum, never the size of a dense matrix.
   */
  public static LoraAdapter svd(String name, List<Weighted> parts, int rank) {
    LoraAdapter first = requireLoras(parts, rank);
    Map<String, LowRank> sums = new TreeMap<>();
    for (String matrix : matrices(parts)) {
      LowRank all = sideBySide(changes(parts, matrix));
      Factors reduced = new Factors(all.in(), all.out(), rank, all.experts());
      for (int x = 0; x < all.experts(); x++) {
        reduced.put(x, svd(all, x));
      }
      sums.put(matrix, reduced.lowRank());
    }
    return new LoraAdapter(name, first.architecture(), sums, shared(parts));
  }

  /**
   * LoRAs merged by TIES on their dense changes, matrix by matrix, and brought back to a rank. A
   * part's scale strengthens its change before signs are elected.
   *
   * @param density the part of each change that is kept, above 0 and at most 1
   */
  public static LoraAdapter ties(String name, List<Weighted> parts, double density, int rank) {
    LoraAdapter first = requireLoras(parts, rank);
    if (!(density > 0 && density <= 1)) {
      throw new IllegalArgumentException("the density must be in (0, 1], got " + density);
    }
    Map<String, LowRank> merged = new TreeMap<>();
    for (String matrix : matrices(parts)) {
      List<Change> changes = changes(parts, matrix);
      LowRank one = changes.getFirst().delta();
      requireRoom(matrix, one, changes.size());
      Factors reduced = new Factors(one.in(), one.out(), rank, one.experts());
      for (int x = 0; x < one.experts(); x++) {
        List<float[]> dense = new ArrayList<>();
        for (Change change : changes) {
          dense.add(DenseDelta.of(change.delta(), x, change.factor()));
        }
        float[] values = Ties.merge(dense, density);
        reduced.put(x, Svd.ofDense(values, one.in(), one.out(), rank));
      }
      merged.put(matrix, reduced.lowRank());
    }
    return new LoraAdapter(name, first.architecture(), merged, shared(parts));
  }

  /** How much the change of a matrix weighs. */
  private record Change(LowRank delta, float factor) {}

  private static void requireAlike(List<Weighted> parts) {
    if (parts.isEmpty()) {
      throw new IllegalArgumentException("there are no adapters to combine");
    }
    Adapter first = parts.getFirst().adapter();
    for (Weighted part : parts) {
      if (part.adapter().getClass() != first.getClass()) {
        throw new IllegalArgumentException(
            "adapters of different kinds cannot be combined: %s and %s"
                .formatted(first, part.adapter()));
      }
      if (!part.adapter().architecture().equals(first.architecture())) {
        throw new ShapeException(
            "%s is for the architecture %s, but %s for %s"
                .formatted(
                    first.name(),
                    first.architecture(),
                    part.adapter().name(),
                    part.adapter().architecture()));
      }
    }
  }

  private static LoraAdapter requireLoras(List<Weighted> parts, int rank) {
    requireAlike(parts);
    if (rank < 1) {
      throw new IllegalArgumentException("the rank must be at least 1, got " + rank);
    }
    for (Weighted part : parts) {
      if (part.adapter() instanceof LoraAdapter lora && lora.rescales()) {
        throw new IllegalArgumentException(
            "%s changes rows of the weights by a factor, which has no low rank: it can be combined linearly"
                .formatted(lora));
      }
    }
    if (parts.getFirst().adapter() instanceof LoraAdapter lora) {
      return lora;
    }
    throw new IllegalArgumentException(
        "only LoRAs have ranks: %s can be combined linearly".formatted(parts.getFirst().adapter()));
  }

  private static LoraAdapter times(String name, LoraAdapter lora, float factor) {
    Map<String, LowRank> scaled = new TreeMap<>();
    lora.deltas().forEach((matrix, delta) -> scaled.put(matrix, delta.times(factor)));
    return new LoraAdapter(name, lora.architecture(), scaled, lora.metadata());
  }

  private static Set<String> matrices(List<Weighted> parts) {
    Set<String> names = new TreeSet<>();
    parts.forEach(part -> names.addAll(((LoraAdapter) part.adapter()).deltas().keySet()));
    return names;
  }

  private static List<Change> changes(List<Weighted> parts, String matrix) {
    List<Change> changes = new ArrayList<>();
    String firstName = "";
    for (Weighted part : parts) {
      LowRank delta = ((LoraAdapter) part.adapter()).deltas().get(matrix);
      if (delta == null) {
        continue; // it leaves the matrix as it is
      }
      if (!changes.isEmpty()) {
        LowRank first = changes.getFirst().delta();
        if (delta.in() != first.in()
            || delta.out() != first.out()
            || delta.experts() != first.experts()) {
          throw new ShapeException(
              "%s is [%d, %d, %d] in %s, but [%d, %d, %d] in %s"
                  .formatted(
                      matrix,
                      first.in(),
                      first.out(),
                      first.experts(),
                      firstName,
                      delta.in(),
                      delta.out(),
                      delta.experts(),
                      part.adapter().name()));
        }
      } else {
        firstName = part.adapter().name();
      }
      changes.add(new Change(delta, part.scale()));
    }
    return changes;
  }

  /** One LoRA with the rows and columns of all; the scales go into B. */
  private static LowRank sideBySide(List<Change> changes) {
    LowRank one = changes.getFirst().delta();
    int in = one.in();
    int out = one.out();
    int rank = 0;
    for (Change change : changes) {
      rank = Math.addExact(rank, change.delta().rank());
    }
    float[] a = new float[product(in, rank, one.experts())];
    float[] b = new float[product(rank, out, one.experts())];
    for (int x = 0; x < one.experts(); x++) {
      int done = 0;
      for (Change change : changes) {
        LowRank d = change.delta();
        int r = d.rank();
        System.arraycopy(d.a(), x * r * in, a, (x * rank + done) * in, r * in);
        for (int o = 0; o < out; o++) {
          for (int k = 0; k < r; k++) {
            double value = (double) d.b()[(x * out + o) * r + k] * d.scale() * change.factor();
            b[(x * out + o) * rank + done + k] = (float) value;
          }
        }
        done += r;
      }
    }
    return new LowRank(in, out, rank, one.experts(), a, b, 1, gains(changes, out));
  }

  private static float[] gains(List<Change> changes, int out) {
    if (changes.stream().noneMatch(change -> change.delta().rescales())) {
      return new float[0];
    }
    float[] sum = new float[out];
    for (Change change : changes) {
      float[] gain = change.delta().gain();
      for (int o = 0; o < gain.length; o++) {
        sum[o] += change.factor() * gain[o];
      }
    }
    return sum;
  }

  private static int product(int x, int y, int z) {
    try {
      return Math.multiplyExact(Math.multiplyExact(x, y), z);
    } catch (ArithmeticException e) {
      throw new CapacityException(
          "a LoRA with %d × %d × %d values does not fit into an array".formatted(x, y, z));
    }
  }

  private static Svd svd(LowRank d, int expert) {
    double[][] b = new double[d.rank()][d.out()];
    double[][] a = new double[d.rank()][d.in()];
    for (int k = 0; k < d.rank(); k++) {
      for (int o = 0; o < d.out(); o++) {
        b[k][o] = (double) d.b()[(expert * d.out() + o) * d.rank() + k] * d.scale();
      }
      for (int i = 0; i < d.in(); i++) {
        a[k][i] = d.a()[(expert * d.rank() + k) * d.in() + i];
      }
    }
    return Svd.ofProduct(b, a);
  }

  /** The largest singular values of each expert as a LoRA; the root of each in A and in B. */
  private static final class Factors {
    private final int in;
    private final int out;
    private final int rank;
    private final int experts;
    private final float[] a;
    private final float[] b;

    Factors(int in, int out, int wanted, int experts) {
      this.in = in;
      this.out = out;
      this.rank = Math.min(wanted, Math.min(in, out));
      this.experts = experts;
      this.a = new float[product(in, rank, experts)];
      this.b = new float[product(rank, out, experts)];
    }

    void put(int x, Svd svd) {
      for (int k = 0; k < Math.min(rank, svd.values().length); k++) {
        double root = Math.sqrt(svd.values()[k]);
        for (int i = 0; i < in; i++) {
          a[(x * rank + k) * in + i] = (float) (root * svd.right()[k][i]);
        }
        for (int o = 0; o < out; o++) {
          b[(x * out + o) * rank + k] = (float) (root * svd.left()[k][o]);
        }
      }
    }

    LowRank lowRank() {
      return new LowRank(in, out, rank, experts, a, b, 1);
    }
  }

  private static void requireRoom(String matrix, LowRank d, int count) {
    // The changes, the sorted sizes of one, and the merged one.
    long needed = 4L * d.in() * d.out() * (count + 2);
    long heap = Runtime.getRuntime().maxMemory();
    if ((long) d.in() * d.out() > Integer.MAX_VALUE - 16 || needed > heap) {
      throw new CapacityException(
          "%s: dense changes of [%d, %d] need %d bytes of the Java heap's %d; raise it with -Xmx"
              .formatted(matrix, d.in(), d.out(), needed, heap));
    }
  }

  private static ControlVector sum(String name, ControlVector first, List<Weighted> parts) {
    Map<Integer, float[]> sums = new HashMap<>();
    for (Weighted part : parts) {
      ControlVector vector = (ControlVector) part.adapter();
      if (vector.width() != first.width()) {
        throw widths(first.name(), first.width(), vector.name(), vector.width());
      }
      vector
          .directions()
          .forEach((layer, direction) -> {
            float[] sum = sums.computeIfAbsent(layer, _ -> new float[first.width()]);
            for (int i = 0; i < sum.length; i++) {
              sum[i] += part.scale() * direction[i];
            }
          });
    }
    return new ControlVector(name, first.architecture(), first.width(), sums);
  }

  private static SoftPrompt oneAfterAnother(String name, SoftPrompt first, List<Weighted> parts) {
    int rows = 0;
    for (Weighted part : parts) {
      SoftPrompt prompt = (SoftPrompt) part.adapter();
      if (part.scale() != 1) {
        throw new IllegalArgumentException(
            "%s is a soft prompt, which has no strength: a scale of %s has no meaning"
                .formatted(prompt.name(), part.scale()));
      }
      if (prompt.width() != first.width()) {
        throw widths(first.name(), first.width(), prompt.name(), prompt.width());
      }
      rows = Math.addExact(rows, prompt.rows());
    }
    float[] values = new float[product(rows, first.width(), 1)];
    int done = 0;
    for (Weighted part : parts) {
      float[] some = ((SoftPrompt) part.adapter()).values();
      System.arraycopy(some, 0, values, done, some.length);
      done += some.length;
    }
    return new SoftPrompt(name, first.architecture(), rows, first.width(), values);
  }

  private static ShapeException widths(String one, int width, String other, int otherWidth) {
    return new ShapeException(
        "%s has rows of %d, but %s of %d".formatted(one, width, other, otherWidth));
  }

  /** The texts that all parts have alike. */
  private static Map<String, String> shared(List<Weighted> parts) {
    Map<String, String> texts = new TreeMap<>();
    ((LoraAdapter) parts.getFirst().adapter())
        .metadata()
        .forEach((key, value) -> {
          boolean everywhere =
              parts.stream()
                  .allMatch(p -> value.equals(((LoraAdapter) p.adapter()).metadata().get(key)));
          if (everywhere) {
            texts.put(key, value);
          }
        });
    return texts;
  }
}
