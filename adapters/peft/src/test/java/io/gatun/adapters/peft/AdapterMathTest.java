package io.gatun.adapters.peft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.model.adapter.Adapter;
import io.gatun.model.adapter.ControlVector;
import io.gatun.model.adapter.LoraAdapter;
import io.gatun.model.adapter.LowRank;
import io.gatun.model.adapter.SoftPrompt;
import io.gatun.tensor.ShapeException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class AdapterMathTest {
  private static final String MATRIX = "blk.0.attn_q";

  private final LowRank first = Deltas.random(24, 40, 4, 1, 0.5f, 1);
  private final LowRank second = Deltas.random(24, 40, 3, 1, 2f, 2);
  private final LoraAdapter one = Deltas.lora("one", MATRIX, first);
  private final LoraAdapter two = Deltas.lora("two", MATRIX, second);

  @Test
  void linear_is_the_sum_of_the_changes() {
    LowRank sum =
        Deltas.only(
            AdapterMath.linear("sum", List.of(new Weighted(one, 0.7f), new Weighted(two, -0.3f))));
    assertThat(sum.rank()).isEqualTo(7);
    assertThat(Deltas.farthest(Deltas.dense(sum), Deltas.sum(0.7f, first, -0.3f, second)))
        .isLessThan(1e-6);
  }

  @Test
  void scaling_and_subtracting() {
    LowRank half = Deltas.only(AdapterMath.scaled(one, 0.5f));
    assertThat(Deltas.farthest(Deltas.dense(half), Deltas.sum(0.5, first, 0, first)))
        .isLessThan(1e-7);
    LowRank rest = Deltas.only(AdapterMath.subtract("rest", one, two));
    assertThat(Deltas.farthest(Deltas.dense(rest), Deltas.sum(1, first, -1, second)))
        .isLessThan(2e-6);
    LowRank nothing = Deltas.only(AdapterMath.subtract("nothing", one, one));
    assertThat(Deltas.farthest(Deltas.dense(nothing), Deltas.sum(0, first, 0, first)))
        .isLessThan(1e-6);
  }

  @Test
  void stacks_of_experts_are_summed_one_by_one() {
    LowRank x = Deltas.random(8, 12, 2, 3, 1.5f, 5);
    LowRank y = Deltas.random(8, 12, 1, 3, 0.5f, 6);
    List<Weighted> parts =
        List.of(
            Weighted.of(Deltas.lora("x", "blk.0.ffn_up_exps", x)),
            Weighted.of(Deltas.lora("y", "blk.0.ffn_up_exps", y)));
    for (Adapter sum :
        List.of(AdapterMath.linear("sum", parts), AdapterMath.svd("sum", parts, 3))) {
      assertThat(Deltas.farthest(Deltas.dense(Deltas.only(sum)), Deltas.sum(1, x, 1, y)))
          .isLessThan(2e-6);
    }
  }

  @Test
  void what_only_one_adapter_changes_stays() {
    LoraAdapter other = Deltas.lora("other", "blk.1.attn_q", second);
    LoraAdapter sum =
        (LoraAdapter) AdapterMath.linear("sum", List.of(Weighted.of(one), Weighted.of(other)));
    assertThat(sum.deltas().keySet()).containsExactly(MATRIX, "blk.1.attn_q");
  }

  @Test
  void a_change_of_rank_r_at_rank_r_is_exact() {
    LowRank same = Deltas.only(AdapterMath.svd("same", List.of(Weighted.of(one)), 4));
    assertThat(same.rank()).isEqualTo(4);
    assertThat(Deltas.farthest(Deltas.dense(same), Deltas.dense(first))).isLessThan(1e-6);
    LowRank both =
        Deltas.only(AdapterMath.svd("both", List.of(Weighted.of(one), Weighted.of(two)), 7));
    assertThat(Deltas.farthest(Deltas.dense(both), Deltas.sum(1, first, 1, second)))
        .isLessThan(3e-6);
    LowRank doubled =
        Deltas.only(AdapterMath.svd("doubled", List.of(Weighted.of(one), Weighted.of(one)), 4));
    assertThat(Deltas.farthest(Deltas.dense(doubled), Deltas.sum(1, first, 1, first)))
        .as("columns that depend on each other")
        .isLessThan(3e-6);
  }

  /** Eckart and Young: what is lost are the singular values that are cut off. */
  @Test
  void a_lower_rank_loses_the_smallest_singular_values_only() {
    double[] values =
        Svd.ofProduct(columns(first.b(), 4, 40, true), columns(first.a(), 4, 24, false)).values();
    LowRank cut = Deltas.only(AdapterMath.svd("cut", List.of(Weighted.of(one)), 2));
    double lost = 0;
    double[][][] x = Deltas.dense(first);
    double[][][] y = Deltas.dense(cut);
    for (int o = 0; o < 40; o++) {
      for (int i = 0; i < 24; i++) {
        lost += Math.pow(x[0][o][i] - y[0][o][i], 2);
      }
    }
    double expected = 0.25 * (values[2] * values[2] + values[3] * values[3]); // the scale is 0.5
    assertThat(lost).isCloseTo(expected, Offset.offset(1e-4 * expected));
  }

  @Test
  void the_dense_way_finds_the_same_singular_values() {
    double[][][] dense = Deltas.dense(first);
    float[] values = new float[24 * 40];
    for (int o = 0; o < 40; o++) {
      for (int i = 0; i < 24; i++) {
        values[o * 24 + i] = (float) dense[0][o][i];
      }
    }
    double[] found = Svd.ofDense(values, 24, 40, 4).values();
    double[] expected =
        Svd.ofProduct(columns(first.b(), 4, 40, true), columns(first.a(), 4, 24, false)).values();
    for (int k = 0; k < 4; k++) {
      assertThat(found[k]).isCloseTo(0.5 * expected[k], Offset.offset(1e-5));
    }
  }

  /** By hand: of four weights half are kept, signs are voted on by weight, means are taken. */
  @Test
  void ties_trims_elects_and_merges() {
    List<float[]> changes = new ArrayList<>();
    changes.add(new float[] {3, -4, 1, 0.5f}); // keeps 3, −4
    changes.add(new float[] {-1, 6, 0.2f, 7}); // keeps 6, 7
    changes.add(new float[] {5, 1, 2, -0.1f}); // keeps 5, 2
    // Votes: 3+5 > 0 → mean 4; −4+6 > 0 → 6 alone; 2; 7.
    assertThat(Ties.merge(changes, 0.5)).containsExactly(4, 6, 2, 7);
  }

  @Test
  void ties_of_one_adapter_is_itself() {
    LowRank same = Deltas.only(AdapterMath.ties("same", List.of(Weighted.of(one)), 1, 4));
    assertThat(Deltas.farthest(Deltas.dense(same), Deltas.dense(first))).isLessThan(2e-6);
  }

  @Test
  void control_vectors_add_up() {
    ControlVector x =
        new ControlVector("x", "llama", 2, Map.of(1, new float[] {1, 2}, 2, new float[] {3, 4}));
    ControlVector y = new ControlVector("y", "llama", 2, Map.of(2, new float[] {1, -1}));
    ControlVector sum =
        (ControlVector) AdapterMath.linear("sum", List.of(new Weighted(x, 2), new Weighted(y, -1)));
    assertThat(sum.directions().get(1)).containsExactly(2, 4);
    assertThat(sum.directions().get(2)).containsExactly(5, 9);
  }

  @Test
  void soft_prompts_follow_each_other() {
    SoftPrompt x = new SoftPrompt("x", "llama", 1, 2, new float[] {1, 2});
    SoftPrompt y = new SoftPrompt("y", "llama", 2, 2, new float[] {3, 4, 5, 6});
    SoftPrompt both =
        (SoftPrompt) AdapterMath.linear("both", List.of(Weighted.of(x), Weighted.of(y)));
    assertThat(both.rows()).isEqualTo(3);
    assertThat(both.values()).containsExactly(1, 2, 3, 4, 5, 6);
    assertThatThrownBy(() -> AdapterMath.scaled(x, 0.5f))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("x is a soft prompt");
    assertThatThrownBy(() -> AdapterMath.svd("no", List.of(Weighted.of(x)), 2))
        .hasMessageContaining("only LoRAs have ranks");
  }

  @Test
  void what_does_not_go_together_is_named() {
    SoftPrompt soft = new SoftPrompt("soft", "llama", 1, 2, new float[] {1, 2});
    assertThatThrownBy(() -> AdapterMath.linear("no", List.of(Weighted.of(one), Weighted.of(soft))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("different kinds");
    LoraAdapter narrow = Deltas.lora("narrow", MATRIX, Deltas.random(23, 40, 4, 1, 1, 9));
    assertThatThrownBy(
            () -> AdapterMath.linear("no", List.of(Weighted.of(one), Weighted.of(narrow))))
        .isInstanceOf(ShapeException.class)
        .hasMessage("blk.0.attn_q is [24, 40, 1] in one, but [23, 40, 1] in narrow");
    LoraAdapter qwen = new LoraAdapter("qwen", "qwen3", one.deltas(), Map.of());
    assertThatThrownBy(() -> AdapterMath.subtract("no", one, qwen))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("qwen3");
    assertThatThrownBy(() -> AdapterMath.linear("no", List.of()))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> AdapterMath.ties("no", List.of(Weighted.of(one)), 0, 4))
        .hasMessageContaining("density");
    assertThatThrownBy(() -> new Weighted(one, Float.NaN)).hasMessageContaining("NaN");
  }

  private static double[][] columns(float[] values, int rank, int length, boolean inner) {
    double[][] columns = new double[rank][length];
    for (int k = 0; k < rank; k++) {
      for (int i = 0; i < length; i++) {
        columns[k][i] = values[inner ? i * rank + k : k * length + i];
      }
    }
    return columns;
  }
}
