package io.gatun.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.tensor.Op.GluKind;
import io.gatun.tensor.Op.UnaryKind;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Each op against its definition, on shapes that are no multiples of anything. */
class OpValuesTest {
  private static final Offset<Float> NEAR = Offset.offset(2e-3f);
  private final Ops ops = new Ops();

  @AfterEach
  void close() {
    ops.close();
  }

  @ParameterizedTest
  @CsvSource({"7,3", "33,5", "1,1"})
  void elementwise_ops_repeat_the_second_operand(int width, int rows) {
    Tensor a = ops.random(width, rows);
    Tensor b = ops.random(width);
    float[] x = ops.values(a);
    float[] y = ops.values(b);
    float[] result = ops.compute(a.add(b).mul(b).sub(a).scale(3f));
    for (int i = 0; i < x.length; i++) {
      float expected = ((x[i] + y[i % width]) * y[i % width] - x[i]) * 3;
      assertThat(result[i]).isEqualTo(expected, NEAR);
    }
  }

  @Test
  void division_and_clamp() {
    Tensor a = ops.random(19, 2);
    Tensor b = ops.given(filled(19 * 2, 0.25f), 19, 2);
    float[] x = ops.values(a);
    float[] result = ops.compute(a.div(b).clamp(-1.5f, 2f));
    for (int i = 0; i < x.length; i++) {
      assertThat(result[i]).isEqualTo(Math.clamp(x[i] / 0.25f, -1.5f, 2f), NEAR);
    }
  }

  @Test
  void norms_have_unit_scale() {
    Tensor a = ops.random(37, 3);
    float[] x = ops.values(a);
    Tensor both = a.rmsNorm(1e-5f).concat(a.layerNorm(1e-5f), 1);
    float[] result = ops.compute(both);
    for (int r = 0; r < 3; r++) {
      double squares = 0;
      double sum = 0;
      for (int i = 0; i < 37; i++) {
        squares += x[r * 37 + i] * x[r * 37 + i];
        sum += x[r * 37 + i];
      }
      double mean = sum / 37;
      double variance = squares / 37 - mean * mean;
      for (int i = 0; i < 37; i++) {
        double rms = x[r * 37 + i] / Math.sqrt(squares / 37 + 1e-5);
        double centred = (x[r * 37 + i] - mean) / Math.sqrt(variance + 1e-5);
        assertThat(result[r * 37 + i]).isEqualTo((float) rms, NEAR);
        assertThat(result[(3 + r) * 37 + i]).isEqualTo((float) centred, NEAR);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"5,3,2", "33,7,1", "64,64,17"})
  void a_matrix_product_is_rows_times_rows(int in, int out, int rows) {
    Tensor w = ops.random(in, out);
    Tensor x = ops.random(in, rows);
    float[] a = ops.values(w);
    float[] b = ops.values(x);
    float[] y = ops.compute(w.matMul(x));
    for (int t = 0; t < rows; t++) {
      for (int o = 0; o < out; o++) {
        double sum = 0;
        for (int i = 0; i < in; i++) {
          sum += a[o * in + i] * b[t * in + i];
        }
        assertThat(y[t * out + o]).isEqualTo((float) sum, NEAR);
      }
    }
  }

  @Test
  void experts_are_chosen_per_token() {
    Tensor w = ops.random(6, 4, 3); // [in, out, X]
    Tensor x = ops.random(6, 1, 2); // [in, 1, T]
    Tensor ids = ops.graph().indices("ids", DType.I32, 3, 2, 2); // [K, T]
    int[] chosen = {2, 0, 1, 2};
    float[] a = ops.values(w);
    float[] b = ops.values(x);
    float[] y = ops.compute(w.matMulId(x, ids), g -> g.write(ids, chosen));
    for (int t = 0; t < 2; t++) {
      for (int k = 0; k < 2; k++) {
        for (int o = 0; o < 4; o++) {
          double sum = 0;
          for (int i = 0; i < 6; i++) {
            sum += a[chosen[t * 2 + k] * 24 + o * 6 + i] * b[t * 6 + i];
          }
          assertThat(y[(t * 2 + k) * 4 + o]).isEqualTo((float) sum, NEAR);
        }
      }
    }
  }

  @Test
  void a_softmax_sums_to_one_and_keeps_the_order() {
    Tensor a = ops.random(29, 2);
    float[] x = ops.values(a);
    float[] p = ops.compute(a.softMax());
    for (int r = 0; r < 2; r++) {
      double mass = 0;
      for (int i = 0; i < 29; i++) {
        mass += Math.exp(x[r * 29 + i]);
      }
      for (int i = 0; i < 29; i++) {
        assertThat(p[r * 29 + i]).isEqualTo((float) (Math.exp(x[r * 29 + i]) / mass), NEAR);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(UnaryKind.class)
  void unary_functions(UnaryKind kind) {
    Tensor a = ops.random(31, 2);
    float[] x = ops.values(a);
    float[] y = ops.compute(a.unary(kind));
    for (int i = 0; i < x.length; i++) {
      double v = x[i];
      double expected =
          switch (kind) {
            case TANH -> Math.tanh(v);
            case RELU -> Math.max(0, v);
            case SIGMOID -> 1 / (1 + Math.exp(-v));
            case GELU ->
                0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v * v * v)));
            case SILU -> v / (1 + Math.exp(-v));
            case EXP -> Math.exp(v);
            case SOFTPLUS -> Math.log1p(Math.exp(v));
          };
      assertThat(y[i]).isEqualTo((float) expected, NEAR);
    }
  }

  @ParameterizedTest
  @EnumSource(GluKind.class)
  void gated_activations(GluKind kind) {
    Tensor gate = ops.random(31, 2);
    Tensor up = ops.random(31, 2);
    float[] g = ops.values(gate);
    float[] u = ops.values(up);
    float[] y = ops.compute(gate.glu(kind, up));
    for (int i = 0; i < g.length; i++) {
      assertThat(y[i]).isEqualTo((float) gated(kind, g[i], u[i]), NEAR);
    }
  }

  @Test
  void a_fused_gate_lies_in_the_first_half() {
    Tensor both = ops.random(10, 2);
    float[] x = ops.values(both);
    float[] y = ops.compute(both.gluFused(GluKind.SWIGLU));
    for (int r = 0; r < 2; r++) {
      for (int i = 0; i < 5; i++) {
        double expected = gated(GluKind.SWIGLU, x[r * 10 + i], x[r * 10 + 5 + i]);
        assertThat(y[r * 5 + i]).isEqualTo((float) expected, NEAR);
      }
    }
  }

  private static double gated(GluKind kind, double g, double u) {
    return switch (kind) {
      case SWIGLU -> g / (1 + Math.exp(-g)) * u;
      case GEGLU ->
          0.5 * g * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (g + 0.044715 * g * g * g))) * u;
      case REGLU -> Math.max(0, g) * u;
      case SWIGLU_OAI -> {
        double x = Math.min(g, 7);
        double y = Math.clamp(u, -7, 7);
        yield x / (1 + Math.exp(-1.702 * x)) * (1 + y);
      }
    };
  }

  @ParameterizedTest
  @CsvSource({"true", "false"})
  void rope_turns_pairs_by_position(boolean neox) {
    int d = 8;
    Tensor x = ops.random(d, 1, 3);
    Tensor positions = ops.graph().indices("pos", DType.I32, 1000, 3);
    int[] at = {0, 5, 17};
    float[] in = ops.values(x);
    float[] y =
        ops.compute(
            x.rope(positions, RopeParameters.plain(d, neox, 64, 10000f)),
            g -> g.write(positions, at));
    for (int t = 0; t < 3; t++) {
      for (int i = 0; i < d / 2; i++) {
        int first = neox ? i : 2 * i;
        int second = neox ? i + d / 2 : 2 * i + 1;
        double angle = at[t] * Math.pow(10000, -2.0 * i / d);
        double a = in[t * d + first];
        double b = in[t * d + second];
        assertThat(y[t * d + first])
            .isEqualTo((float) (a * Math.cos(angle) - b * Math.sin(angle)), NEAR);
        assertThat(y[t * d + second])
            .isEqualTo((float) (a * Math.sin(angle) + b * Math.cos(angle)), NEAR);
      }
    }
  }

  @Test
  void attention_shares_keys_between_heads_and_obeys_the_mask() {
    int d = 16;
    int s = 5;
    Tensor q = ops.random(d, 2, 4); // [D, T, H]
    Tensor k = ops.random(d, s, 2); // [D, S, G]
    Tensor v = ops.random(d, s, 2);
    Tensor mask = ops.graph().input("mask", DType.F16, s, 2);
    short[] hidden = new short[s * 2];
    hidden[3] = (short) 0xfc00;
    hidden[4] = (short) 0xfc00;
    float[] qs = ops.values(q);
    float[] ks = ops.values(k);
    float[] vs = ops.values(v);
    float[] y =
        ops.compute(
            ops.graph().attention(q, k, v, mask, 0.25f, 0f),
            g -> g.write(mask, hidden, hidden.length));
    for (int t = 0; t < 2; t++) {
      for (int h = 0; h < 4; h++) {
        int group = h / 2;
        double[] p = new double[s];
        double mass = 0;
        for (int j = 0; j < (t == 0 ? 3 : s); j++) {
          double dot = 0;
          for (int i = 0; i < d; i++) {
            dot += qs[(h * 2 + t) * d + i] * ks[(group * s + j) * d + i];
          }
          p[j] = Math.exp(0.25 * dot);
          mass += p[j];
        }
        for (int i = 0; i < d; i++) {
          double expected = 0;
          for (int j = 0; j < s; j++) {
            expected += p[j] / mass * vs[(group * s + j) * d + i];
          }
          assertThat(y[(t * 4 + h) * d + i]).isEqualTo((float) expected, NEAR);
        }
      }
    }
  }

  @Test
  void rows_are_looked_up_and_summed() {
    Tensor table = ops.random(5, 4);
    Tensor ids = ops.graph().indices("ids", DType.I32, 4, 3);
    float[] rows = ops.values(table);
    float[] y = ops.compute(table.getRows(ids).sumRows(), g -> g.write(ids, new int[] {3, 0, 3}));
    int[] expected = {3, 0, 3};
    for (int r = 0; r < 3; r++) {
      float sum = 0;
      for (int i = 0; i < 5; i++) {
        sum += rows[expected[r] * 5 + i];
      }
      assertThat(y[r]).isEqualTo(sum, NEAR);
    }
  }

  @Test
  void views_and_permutations_move_nothing_until_dense() {
    Tensor x = ops.random(4, 3, 2);
    float[] in = ops.values(x);
    float[] y = ops.compute(x.permute(0, 2, 1, 3).dense());
    for (int a = 0; a < 3; a++) {
      for (int b = 0; b < 2; b++) {
        for (int i = 0; i < 4; i++) {
          assertThat(y[(a * 2 + b) * 4 + i]).isEqualTo(in[(b * 3 + a) * 4 + i]);
        }
      }
    }
  }

  private static float[] filled(int count, float value) {
    float[] values = new float[count];
    java.util.Arrays.fill(values, value);
    return values;
  }
}
