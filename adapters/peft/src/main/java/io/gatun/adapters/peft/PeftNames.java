package io.gatun.adapters.peft;

import io.gatun.model.UnsupportedModelException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What matrices are called in PyTorch models and in GGUF files, in both directions. */
final class PeftNames {
  private static final Pattern LAYER =
      Pattern.compile("(?:.*\\.)?(?:layers|h|blocks)\\.(\\d{1,4})\\.(.+)");
  private static final Pattern EXPERT = Pattern.compile("(.+\\.experts)\\.(\\d{1,4})\\.(\\w+)");

  /** GGUF name by what is behind the layer's number; the first that fits is what is written. */
  private static final Map<String, String> PLAIN = new LinkedHashMap<>();

  private static final Map<String, String> EXPERTS = new LinkedHashMap<>();

  /** Names of GPT-2's layers, whose words mean other things elsewhere. */
  private static final Map<String, String> GPT2 =
      Map.of(
          "attn.c_attn", "attn_qkv",
          "attn.c_proj", "attn_output",
          "mlp.c_fc", "ffn_up",
          "mlp.c_proj", "ffn_down");

  static {
    PLAIN.put("self_attn.q_proj", "attn_q");
    PLAIN.put("self_attn.k_proj", "attn_k");
    PLAIN.put("self_attn.v_proj", "attn_v");
    PLAIN.put("self_attn.o_proj", "attn_output");
    PLAIN.put("self_attn.qkv_proj", "attn_qkv"); // Phi 3
    PLAIN.put("mlp.gate_proj", "ffn_gate");
    PLAIN.put("mlp.up_proj", "ffn_up");
    PLAIN.put("mlp.gate_up_proj", "ffn_up"); // Phi 3, both in one
    PLAIN.put("mlp.down_proj", "ffn_down");
    PLAIN.put("mlp.gate", "ffn_gate_inp");
    PLAIN.put("block_sparse_moe.gate", "ffn_gate_inp"); // Mixtral
    PLAIN.put("block_sparse_moe.router.layer", "ffn_gate_inp"); // Granite
    PLAIN.put("mlp.router", "ffn_gate_inp"); // gpt-oss
    PLAIN.put("mlp.shared_expert.gate_proj", "ffn_gate_shexp");
    PLAIN.put("mlp.shared_expert.up_proj", "ffn_up_shexp");
    PLAIN.put("mlp.shared_expert.down_proj", "ffn_down_shexp");
    PLAIN.put("self_attn.q_a_proj", "attn_q_a"); // DeepSeek
    PLAIN.put("self_attn.q_b_proj", "attn_q_b");
    PLAIN.put("self_attn.kv_a_proj_with_mqa", "attn_kv_a_mqa");
    PLAIN.put("self_attn.kv_b_proj", "attn_kv_b");
    PLAIN.put("mlp.shared_experts.gate_proj", "ffn_gate_shexp");
    PLAIN.put("mlp.shared_experts.up_proj", "ffn_up_shexp");
    PLAIN.put("mlp.shared_experts.down_proj", "ffn_down_shexp");
    PLAIN.put("mlp.shared_expert_gate", "ffn_gate_inp_shexp");
    EXPERTS.put("mlp.experts gate_proj", "ffn_gate_exps");
    EXPERTS.put("mlp.experts up_proj", "ffn_up_exps");
    EXPERTS.put("mlp.experts down_proj", "ffn_down_exps");
    EXPERTS.put("block_sparse_moe.experts w1", "ffn_gate_exps"); // Mixtral
    EXPERTS.put("block_sparse_moe.experts w3", "ffn_up_exps");
    EXPERTS.put("block_sparse_moe.experts w2", "ffn_down_exps");
  }

  /**
   * A matrix of a GGUF model.
   *
   * @param layer −1 for what is in none
   * @param matrix {@code attn_q}, {@code output}
   * @param expert which of a stack; −1 for what is no stack
   */
  record Place(int layer, String matrix, int expert) {
    /** {@code blk.3.attn_q}. */
    String name() {
      return layer < 0 ? matrix : "blk.%d.%s".formatted(layer, matrix);
    }
  }

  private PeftNames() {}

  /** Where the weights of a PyTorch module are in a GGUF file; empty for an unknown one. */
  static Optional<Place> toGguf(String module, String architecture) {
    if (module.equals("lm_head") || module.endsWith(".lm_head")) {
      return Optional.of(new Place(-1, "output", -1));
    }
    Matcher layer = LAYER.matcher(module);
    if (!layer.matches()) {
      return Optional.empty();
    }
    int number = Integer.parseInt(layer.group(1));
    String rest = layer.group(2);
    Map<String, String> plain = architecture.equals("gpt2") ? GPT2 : PLAIN;
    if (plain.containsKey(rest)) {
      return Optional.of(new Place(number, String.valueOf(plain.get(rest)), -1));
    }
    Matcher expert = EXPERT.matcher(rest);
    if (expert.matches()) {
      return Optional.ofNullable(EXPERTS.get(expert.group(1) + " " + expert.group(3)))
          .map(name -> new Place(number, name, Integer.parseInt(expert.group(2))));
    }
    return Optional.empty();
  }

  /**
   * The PyTorch module of a GGUF matrix.
   *
   * @param expert which of a stack; −1 for what is no stack
   * @throws UnsupportedModelException when it is not known, or one of a stack that PyTorch keeps as
   *     one
   */
  static String toPeft(String name, int expert, String architecture) {
    if (name.equals("output")) {
      return "lm_head";
    }
    Matcher matcher = Pattern.compile("blk\\.(\\d{1,4})\\.(\\w+)").matcher(name);
    if (matcher.matches()) {
      String matrix = matcher.group(2);
      boolean gpt2 = architecture.equals("gpt2");
      Map<String, String> names = expert >= 0 ? EXPERTS : gpt2 ? GPT2 : PLAIN;
      for (Map.Entry<String, String> entry : names.entrySet()) {
        if (entry.getValue().equals(matrix) && used(entry.getKey(), architecture)) {
          String rest =
              expert >= 0 ? entry.getKey().replace(" ", "." + expert + ".") : entry.getKey();
          return "%s.%s.%s"
              .formatted(gpt2 ? "transformer.h" : "model.layers", matcher.group(1), rest);
        }
      }
    }
    throw new UnsupportedModelException(
        "%s of %s has no counterpart in PyTorch that PEFT could change"
            .formatted(name, architecture));
  }

  private static boolean used(String rest, String architecture) {
    boolean experts = rest.contains(".experts ");
    return switch (architecture) {
      case "llama" -> !rest.startsWith("mlp.experts") && !rest.equals("mlp.gate");
      case "deepseek", "deepseek2", "dots1", "glm4moe" ->
          !rest.startsWith("mlp.shared_expert.") && !rest.startsWith("block_");
      case "phi3" -> !rest.equals("mlp.up_proj");
      case "gpt-oss" -> !experts && !rest.equals("mlp.gate") && !rest.startsWith("block_");
      case "granitemoe" -> !experts && !rest.equals("mlp.gate") && !rest.endsWith("moe.gate");
      default -> !rest.startsWith("block_sparse_moe");
    };
  }
}
