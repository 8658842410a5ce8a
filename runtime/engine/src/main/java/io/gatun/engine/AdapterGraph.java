package io.gatun.engine;

import io.gatun.model.Modifier;
import io.gatun.tensor.CompiledGraph;
import io.gatun.tensor.DType;
import io.gatun.tensor.GraphBuilder;
import io.gatun.tensor.Shape;
import io.gatun.tensor.StoredTensor;
import io.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Adapters in one graph: which slots of an {@link AdapterBank} each row uses comes in as ids, so
 * rows of one batch may have different adapters, several, or none. A row without one multiplies
 * with a scale of 0, which leaves its values as they are.
 *
 * @owner the engine's thread
 */
final class AdapterGraph implements Modifier {

  /**
   * What distinguishes graphs with adapters of one bank.
   *
   * @param bank its number; 0 without adapters
   * @param loras U, the most LoRAs of one row
   * @param rescales whether some LoRA has gains for rows of matrices
   * @param vectors the most control vectors of one row
   * @param soft whether some row is one of a soft prompt
   */
  record Key(long bank, int loras, boolean rescales, int vectors, boolean soft) {
    static final Key NONE = new Key(0, 0, false, 0, false);
  }

  private final GraphBuilder g;
  private final AdapterBank bank;
  private final Key key;
  private final Rows all;
  private final Rows wanted;
  private final Optional<Soft> soft;

  /**
   * Inputs for soft prompts: row of the table [T], and what share of it and of the token [1, T].
   */
  private record Soft(Tensor ids, Tensor share, Tensor keep) {}

  /** One control vector of each row: ids [T], scales [1, T]. */
  private record Steering(Tensor ids, Tensor scales) {}

  /**
   * Inputs for some rows of the batch.
   *
   * @param ids I32 [U, T]
   * @param scales F32 [1, U, T]
   * @param shares F32 [1, T] for each slot, for experts
   */
  private record Rows(
      int count, Tensor ids, Tensor scales, List<Tensor> shares, List<Steering> steering) {}

  AdapterGraph(GraphBuilder g, AdapterBank bank, Key key, int rows, int outputs) {
    this.g = g;
    this.bank = bank;
    this.key = key;
    this.all = rows("", rows);
    this.wanted = outputs == rows ? all : rows("_of_outputs", outputs);
    this.soft = key.soft() ? Optional.of(soft(rows)) : Optional.empty();
  }

  private Rows rows(String suffix, int count) {
    int slots = bank.shape().slots();
    int used = Math.max(1, key.loras());
    List<Tensor> shares = new ArrayList<>();
    for (int slot = 0; slot < slots; slot++) {
      shares.add(g.input("adapter_share" + slot + suffix, DType.F32, 1, 1, count));
    }
    List<Steering> steering = new ArrayList<>();
    for (int i = 0; i < key.vectors(); i++) {
      steering.add(
          new Steering(
              g.indices("steering_ids" + i + suffix, DType.I32, slots, count),
              g.input("steering_scales" + i + suffix, DType.F32, 1, count)));
    }
    return new Rows(
        count,
        g.indices("adapter_ids" + suffix, DType.I32, slots, used, count),
        g.input("adapter_scales" + suffix, DType.F32, 1, used, count),
        shares,
        steering);
  }

  private Soft soft(int rows) {
    long table = (long) bank.shape().slots() * bank.shape().softRows();
    return new Soft(
        g.indices("soft_ids", DType.I32, table, rows),
        g.input("soft_share", DType.F32, 1, rows),
        g.input("soft_keep", DType.F32, 1, rows));
  }

  /** y + Σᵤ scaleᵤ·(gainᵤ ⊙ y + Bᵤ·(Aᵤ·x)). */
  @Override
  public Tensor linear(String name, Tensor x, Tensor y) {
    Optional<StoredTensor> down = key.loras() == 0 ? Optional.empty() : bank.down(name);
    if (down.isEmpty()) {
      return y;
    }
    Rows rows = rowsOf(x.shape().d1());
    Tensor each = dense(x).reshape(x.shape().d0(), 1, rows.count()); // [in, 1, T]
    Tensor low = g.stored(down.get()).matMulId(each, rows.ids()).mul(rows.scales()); // [R, U, T]
    Tensor change = g.stored(bank.up(name)).matMulId(low, rows.ids()); // [out, U, T]
    Tensor sum = y;
    for (int u = 0; u < key.loras(); u++) {
      sum = sum.add(part(change, u));
    }
    Optional<StoredTensor> gains = key.rescales() ? bank.gains(name) : Optional.empty();
    if (gains.isPresent()) {
      Tensor grown = gains(gains.get(), rows); // [out, U, T]
      for (int u = 0; u < key.loras(); u++) {
        sum = sum.add(y.mul(part(grown, u)));
      }
    }
    return sum;
  }

  private Tensor gains(StoredTensor table, Rows rows) {
    long pairs = rows.ids().shape().elements();
    Tensor each = g.stored(table).getRows(rows.ids().reshape(pairs)); // [out, U·T]
    return each.reshape(table.shape().d0(), rows.ids().shape().d0(), rows.count())
        .mul(rows.scales());
  }

  /** The same for experts, slot by slot, as ids already say which expert. */
  @Override
  public Tensor experts(String name, Tensor x, Tensor ids, Tensor y) {
    Optional<StoredTensor> down = key.loras() == 0 ? Optional.empty() : bank.down(name);
    if (down.isEmpty()) {
      return y;
    }
    Rows rows = rowsOf(x.shape().d2());
    Tensor sum = y;
    for (int slot = 0; slot < bank.shape().slots(); slot++) {
      Tensor a = slot(down.get(), slot); // [in, R, X]
      Tensor b = slot(bank.up(name), slot); // [R, out, X]
      Tensor low = a.matMulId(x, ids).mul(rows.shares().get(slot));
      sum = sum.add(b.matMulId(low, ids));
    }
    return sum;
  }

  @Override
  public Tensor embedded(Tensor x) {
    return soft.map(s -> x.mul(s.keep()).add(g.stored(bank.soft()).getRows(s.ids()).mul(s.share())))
        .orElse(x);
  }

  @Override
  public Tensor layer(int layer, Tensor x) {
    Optional<StoredTensor> directions = bank.directions(layer);
    Tensor sum = x;
    if (directions.isPresent()) {
      for (Steering s : rowsOf(x.shape().d1()).steering()) {
        sum = sum.add(g.stored(directions.get()).getRows(s.ids()).mul(s.scales()));
      }
    }
    return sum;
  }

  /** Writes what the rows of a batch use. */
  void write(Batch batch, AdapterSlots slots, CompiledGraph target) {
    int[] every = new int[all.count()];
    for (int i = 0; i < every.length; i++) {
      every[i] = i;
    }
    write(batch, slots, all, every, target);
    if (wanted.count() != all.count()) {
      int[] outputs = new int[wanted.count()];
      for (int i = 0; i < batch.outputs(); i++) {
        outputs[i] = batch.outputRow(i);
      }
      write(batch, slots, wanted, outputs, target);
    }
    soft.ifPresent(s -> write(batch, slots, s, target));
  }

  private void write(
      Batch batch, AdapterSlots slots, Rows rows, int[] numbers, CompiledGraph target) {
    int used = Math.max(1, key.loras());
    int[] ids = new int[used * rows.count()];
    float[] scales = new float[used * rows.count()];
    float[][] shares = new float[bank.shape().slots()][rows.count()];
    int[][] steeringIds = new int[key.vectors()][rows.count()];
    float[][] steeringScales = new float[key.vectors()][rows.count()];
    for (int i = 0; i < rows.count(); i++) {
      int u = 0;
      int v = 0;
      for (AdapterSlots.Used use : slots.used(batch.sequence(numbers[i]))) {
        switch (use.kind()) {
          case LORA -> {
            ids[i * used + u] = use.slot();
            scales[i * used + u++] = use.scale();
            shares[use.slot()][i] += use.scale();
          }
          case VECTOR -> {
            steeringIds[v][i] = use.slot();
            steeringScales[v++][i] = use.scale();
          }
          case SOFT, PREFIX -> {}
        }
      }
    }
    write(rows.ids(), ids, target);
    write(rows.scales(), scales, target);
    for (int slot = 0; slot < shares.length; slot++) {
      write(rows.shares().get(slot), shares[slot], target);
    }
    for (int v = 0; v < key.vectors(); v++) {
      write(rows.steering().get(v).ids(), steeringIds[v], target);
      write(rows.steering().get(v).scales(), steeringScales[v], target);
    }
  }

  private void write(Batch batch, AdapterSlots slots, Soft s, CompiledGraph target) {
    int[] ids = new int[all.count()];
    float[] share = new float[ids.length];
    float[] keep = new float[ids.length];
    for (int row = 0; row < ids.length; row++) {
      int position = batch.position(row);
      boolean isSoft = position < batch.sequence(row).rowsBefore();
      share[row] = isSoft ? 1 : 0;
      keep[row] = isSoft ? 0 : 1;
      if (isSoft) {
        ids[row] = slots.softRow(batch.sequence(row), position);
      }
    }
    write(s.ids(), ids, target);
    write(s.share(), share, target);
    write(s.keep(), keep, target);
  }

  private static void write(Tensor input, int[] values, CompiledGraph target) {
    if (target.graph().hasInput(input.name())) {
      target.write(input, values);
    }
  }

  private static void write(Tensor input, float[] values, CompiledGraph target) {
    if (target.graph().hasInput(input.name())) {
      target.write(input, values);
    }
  }

  /** On the last layer only rows whose logits are wanted go on. */
  private Rows rowsOf(long count) {
    return count == all.count() ? all : wanted;
  }

  /** [out, U, T] → the u-th [out, T]. */
  private static Tensor part(Tensor parts, int u) {
    Shape one = Shape.of(parts.shape().d0(), parts.shape().d2());
    if (parts.shape().d1() == 1) {
      return parts.reshape(one.d0(), one.d1());
    }
    long s2 = parts.layout().s2();
    return parts.view(one, s2, s2 * one.d1(), s2 * one.d1(), u * parts.layout().s1());
  }

  private Tensor slot(StoredTensor stack, int slot) {
    long experts = stack.shape().d2() / bank.shape().slots();
    long s1 = stack.layout().s1();
    long s2 = stack.layout().s2();
    Shape one = Shape.of(stack.shape().d0(), stack.shape().d1(), experts);
    return g.stored(stack).view(one, s1, s2, s2 * experts, slot * experts * s2);
  }

  private static Tensor dense(Tensor x) {
    return x.layout().dense() ? x : x.dense();
  }
}
