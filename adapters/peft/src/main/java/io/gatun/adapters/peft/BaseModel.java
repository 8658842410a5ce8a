package io.gatun.adapters.peft;

import io.gatun.model.ModelFormatException;
import io.gatun.model.gguf.GgufFile;
import io.gatun.model.gguf.GgufMetadata;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;

/**
 * What must be known of a model to translate its adapters.
 *
 * @param architecture {@code general.architecture}
 * @param heads H of each layer, or one number for all
 * @param kvHeads G of each layer, or one number for all
 */
public record BaseModel(String architecture, List<Integer> heads, List<Integer> kvHeads) {
  /** llama.cpp's converter reorders the rows of q and k for these, so that pairs are neighbours. */
  private static final Set<String> PAIRED =
      Set.of(
          "llama",
          "mistral3",
          "granite",
          "granitemoe",
          "minicpm",
          "smollm3",
          "olmo",
          "arcee",
          "deepseek",
          "xverse");

  private static final int HEADS_MAX = 1 << 14;

  public BaseModel {
    heads = List.copyOf(heads);
    kvHeads = List.copyOf(kvHeads);
  }

  /** As its GGUF file says. */
  public static BaseModel of(GgufFile file) {
    GgufMetadata meta = file.metadata();
    String architecture =
        meta.text("general.architecture").orElseThrow(() -> meta.missing("general.architecture"));
    String key = architecture + ".attention.head_count";
    long[] heads = meta.integers(key).orElse(new long[] {1});
    long[] kv = meta.integers(key + "_kv").orElse(heads);
    return new BaseModel(architecture, checked(meta, key, heads), checked(meta, key + "_kv", kv));
  }

  private static List<Integer> checked(GgufMetadata meta, String key, long[] counts) {
    for (long count : counts) {
      if (count < 0 || count > HEADS_MAX) {
        throw new ModelFormatException(
            "%s: the key %s has the value %d".formatted(meta.file(), key, count));
      }
    }
    if (counts.length == 0) {
      throw new ModelFormatException("%s: the key %s is empty".formatted(meta.file(), key));
    }
    return LongStream.of(counts).mapToObj(c -> (int) c).toList();
  }

  /** How many heads' rows a matrix has in another order than PyTorch; 0 where it has not. */
  int pairedHeads(int layer, String matrix) {
    if (!PAIRED.contains(architecture)) {
      return 0;
    }
    return switch (matrix) {
      case "attn_q" -> of(heads, layer);
      case "attn_k" -> of(kvHeads, layer);
      default -> 0;
    };
  }

  private static int of(List<Integer> counts, int layer) {
    return counts.get(counts.size() == 1 ? 0 : Math.clamp(layer, 0, counts.size() - 1));
  }
}
