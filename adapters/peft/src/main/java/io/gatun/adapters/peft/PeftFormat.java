package io.gatun.adapters.peft;

import com.fasterxml.jackson.jr.ob.JSON;
import io.gatun.model.ModelFormatException;
import io.gatun.model.UnsupportedModelException;
import io.gatun.model.adapter.Adapter;
import io.gatun.model.adapter.LoraAdapter;
import io.gatun.model.adapter.LowRank;
import io.gatun.model.adapter.SoftPrompt;
import io.gatun.tensor.DType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Adapters as the PEFT library for PyTorch has them: a folder with {@code adapter_config.json} and
 * {@code adapter_model.safetensors}. Translates the names of matrices, and the order of the rows of
 * q and k where llama.cpp's converter changes it.
 *
 * @source PEFT 0.17, {@code LoraConfig} and {@code save_pretrained}; llama.cpp v0.4.0,
 *     conversion/llama.py, {@code permute}
 */
public final class PeftFormat {
  private static final String CONFIG = "adapter_config.json";
  private static final String TENSORS = "adapter_model.safetensors";
  private static final String PREFIX = "base_model.model.";

  /** A tensor's name: module, A or B, and the adapter's name, which older files have. */
  private static final Pattern LORA =
      Pattern.compile("(?:base_model\\.model\\.)?(.+)\\.lora_([AB])(?:\\.[^.]+)?\\.weight");

  private PeftFormat() {}

  /** Whether a path is a folder of PEFT's, or a file in one. */
  public static boolean recognises(Path path) {
    return Files.isDirectory(path)
        ? Files.exists(path.resolve(CONFIG))
        : path.toString().endsWith(".safetensors");
  }

  /**
   * Reads a LoRA or a soft prompt (prompt tuning).
   *
   * @param path the folder, or the safetensors file in it
   * @throws ModelFormatException when a file is broken, naming the key or tensor
   * @throws UnsupportedModelException when it has what an adapter of Gatun cannot have: DoRA, whole
   *     matrices, embeddings
   */
  public static Adapter read(Path path, BaseModel base) throws IOException {
    Path tensors = Files.isDirectory(path) ? path.resolve(TENSORS) : path;
    if (!Files.isRegularFile(tensors)) {
      throw new ModelFormatException(
          "%s does not exist; only safetensors are read, not pickled files".formatted(tensors));
    }
    Path config = tensors.resolveSibling(CONFIG);
    if (!Files.isRegularFile(config)) {
      throw new ModelFormatException("%s is not beside %s".formatted(CONFIG, tensors));
    }
    PeftConfig read = PeftConfig.read(config);
    try (Safetensors file = Safetensors.open(tensors)) {
      String name = nameOf(path);
      return switch (read.kind()) {
        case LORA -> new Reading(name, base, read, file).lora();
        case PROMPT_TUNING -> prompt(name, base, file);
      };
    }
  }

  /**
   * Writes a LoRA as a folder that PEFT loads.
   *
   * @param type F32, F16 or BF16
   * @throws UnsupportedModelException when PyTorch has no module for a matrix
   */
  public static void write(LoraAdapter lora, BaseModel base, DType type, Path folder)
      throws IOException {
    if (type != DType.F32 && type != DType.F16 && type != DType.BF16) {
      throw new IllegalArgumentException("adapters are written as F32, F16 or BF16, not " + type);
    }
    if (lora.rescales()) {
      throw new UnsupportedModelException(
          "%s: PEFT keeps the length of each row of a DoRA's weights, which this file does not have; merge it instead"
              .formatted(lora));
    }
    Map<String, Safetensors.Part> parts = new TreeMap<>();
    Map<String, Object> ranks = new TreeMap<>();
    Map<String, Object> alphas = new TreeMap<>();
    TreeSet<String> targets = new TreeSet<>();
    LowRank first = lora.deltas().values().iterator().next();
    float alpha = first.scale() * first.rank();
    lora.deltas()
        .forEach((name, d) -> {
          for (int x = 0; x < d.experts(); x++) {
            boolean stack = name.endsWith("_exps");
            String module = PeftNames.toPeft(name, stack ? x : -1, lora.architecture());
            targets.add(module.substring(module.lastIndexOf('.') + 1));
            if (d.rank() != first.rank()) {
              ranks.put(module, d.rank());
            }
            if (d.scale() * d.rank() != alpha) {
              alphas.put(module, d.scale() * d.rank());
            }
            float[] a = slice(d.a(), x, d.in() * d.rank());
            float[] b = slice(d.b(), x, d.out() * d.rank());
            int heads = pairedHeads(base, name);
            parts.put(
                PREFIX + module + ".lora_A.weight",
                new Safetensors.Part(List.of((long) d.rank(), (long) d.in()), a));
            parts.put(
                PREFIX + module + ".lora_B.weight",
                new Safetensors.Part(
                    List.of((long) d.out(), (long) d.rank()),
                    heads == 0 ? b : halved(name, b, d.rank(), heads)));
          }
        });
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("peft_type", "LORA");
    config.put("task_type", "CAUSAL_LM");
    config.put(
        "base_model_name_or_path", lora.metadata().getOrDefault("general.base_model.0.name", ""));
    config.put("r", first.rank());
    config.put("lora_alpha", alpha);
    config.put("rank_pattern", ranks);
    config.put("alpha_pattern", alphas);
    config.put("target_modules", List.copyOf(targets));
    config.put("lora_dropout", 0.0);
    config.put("bias", "none");
    config.put("fan_in_fan_out", lora.architecture().equals("gpt2"));
    config.put("use_rslora", false);
    config.put("use_dora", false);
    config.put("inference_mode", true);
    var _ = Files.createDirectories(folder);
    replace(folder.resolve(TENSORS), file -> Safetensors.write(file, type, parts));
    replace(
        folder.resolve(CONFIG),
        file -> {
          String json = JSON.std.with(JSON.Feature.PRETTY_PRINT_OUTPUT).asString(config) + "\n";
          var _ = Files.writeString(file, json, StandardCharsets.UTF_8);
        });
  }

  /** Something that writes a new file. */
  private interface Writing {
    void to(Path file) throws IOException;
  }

  private static void replace(Path file, Writing writing) throws IOException {
    long process = ProcessHandle.current().pid();
    Path temporary = file.resolveSibling("%s.%d.part".formatted(file.getFileName(), process));
    try {
      writing.to(temporary);
      var _ =
          Files.move(
              temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      var _ = Files.deleteIfExists(temporary);
    }
  }

  private static float[] slice(float[] values, int index, int length) {
    return Arrays.copyOfRange(values, index * length, (index + 1) * length);
  }

  private static int pairedHeads(BaseModel base, String name) {
    Matcher matcher = Pattern.compile("blk\\.(\\d{1,4})\\.(\\w+)").matcher(name);
    return matcher.matches()
        ? base.pairedHeads(Integer.parseInt(matcher.group(1)), matcher.group(2))
        : 0;
  }

  /**
   * PyTorch's Llama rotates the first half of a head with the second, GGML neighbours: row {@code
   * half·D/2 + i} of a head becomes row {@code 2i + half}.
   */
  private static float[] paired(String name, float[] b, int rank, int heads) {
    return reordered(name, b, rank, heads, true);
  }

  private static float[] halved(String name, float[] b, int rank, int heads) {
    return reordered(name, b, rank, heads, false);
  }

  private static float[] reordered(String name, float[] b, int rank, int heads, boolean pair) {
    int rows = b.length / rank;
    if (rows % (2 * heads) != 0) {
      throw new ModelFormatException(
          "%s: %d rows are not %d heads of even length".formatted(name, rows, heads));
    }
    int half = rows / heads / 2;
    float[] moved = new float[b.length];
    for (int h = 0; h < heads; h++) {
      for (int side = 0; side < 2; side++) {
        for (int i = 0; i < half; i++) {
          int halves = (h * 2 + side) * half + i;
          int pairs = (h * half + i) * 2 + side;
          int from = pair ? halves : pairs;
          int to = pair ? pairs : halves;
          System.arraycopy(b, from * rank, moved, to * rank, rank);
        }
      }
    }
    return moved;
  }

  private static SoftPrompt prompt(String name, BaseModel base, Safetensors file)
      throws IOException {
    Safetensors.Entry entry =
        Optional.ofNullable(file.entries().get("prompt_embeddings"))
            .orElseThrow(() -> file.broken("there is no tensor prompt_embeddings"));
    if (entry.shape().size() != 2) {
      throw file.broken("prompt_embeddings is %s, no matrix".formatted(entry.shape()));
    }
    float[] values = file.values(entry);
    return new SoftPrompt(
        name,
        base.architecture(),
        Math.toIntExact(entry.shape().get(0)),
        Math.toIntExact(entry.shape().get(1)),
        values);
  }

  private static String nameOf(Path path) {
    Path absolute = path.toAbsolutePath().normalize();
    Path named = path.endsWith(TENSORS) ? absolute.getParent() : absolute;
    String name = String.valueOf(named == null ? absolute : named.getFileName());
    return name.endsWith(".safetensors") ? name.substring(0, name.length() - 12) : name;
  }

  /** One LoRA that is being read. */
  private record Reading(String name, BaseModel base, PeftConfig config, Safetensors file) {
    /** A and B of a module. */
    private static final class Pair {
      private final Map<String, Safetensors.Entry> sides = new HashMap<>();
    }

    LoraAdapter lora() throws IOException {
      Map<String, Pair> modules = new TreeMap<>();
      for (Safetensors.Entry entry : file.entries().values()) {
        Matcher matcher = LORA.matcher(entry.name());
        if (!matcher.matches()) {
          throw unexpected(entry.name());
        }
        Pair pair = modules.computeIfAbsent(matcher.group(1), _ -> new Pair());
        if (pair.sides.put(matcher.group(2), entry) != null) {
          throw file.broken(entry.name() + " is there twice, of two adapters");
        }
      }
      Map<String, LowRank> deltas = new TreeMap<>();
      Map<String, NavigableMap<Integer, LowRank>> stacks = new TreeMap<>();
      for (Map.Entry<String, Pair> module : modules.entrySet()) {
        PeftNames.Place place = place(module.getKey());
        LowRank delta = delta(module.getKey(), place, module.getValue());
        if (place.expert() >= 0) {
          stacks.computeIfAbsent(place.name(), _ -> new TreeMap<>()).put(place.expert(), delta);
        } else if (deltas.put(place.name(), delta) != null) {
          throw file.broken("two modules are " + place.name());
        }
      }
      for (Map.Entry<String, NavigableMap<Integer, LowRank>> stack : stacks.entrySet()) {
        deltas.put(stack.getKey(), stacked(stack.getKey(), stack.getValue()));
      }
      if (deltas.isEmpty()) {
        throw file.broken("there are no tensors");
      }
      return new LoraAdapter(name, base.architecture(), deltas, config.metadata());
    }

    private RuntimeException unexpected(String tensor) {
      if (tensor.contains("lora_embedding_") || tensor.contains("embed_tokens")) {
        return new UnsupportedModelException(
            "%s: LoRAs of the token embedding (%s) are not supported"
                .formatted(config.file(), tensor));
      }
      if (tensor.contains("lora_magnitude_vector")) {
        return new UnsupportedModelException(
            "%s: %s belongs to DoRA, which is not supported".formatted(config.file(), tensor));
      }
      return file.broken(tensor + " is no lora_A.weight or lora_B.weight");
    }

    private PeftNames.Place place(String module) {
      if (module.endsWith("embed_tokens") || module.endsWith(".wte")) {
        throw unexpected(module + ".embed_tokens");
      }
      return PeftNames.toGguf(module, base.architecture())
          .orElseThrow(() ->
              new UnsupportedModelException(
                  "%s: which matrix of a GGUF file of %s the module %s is, is not known"
                      .formatted(config.file(), base.architecture(), module)));
    }

    private LowRank delta(String module, PeftNames.Place place, Pair pair) throws IOException {
      Safetensors.Entry a = side(module, pair, "A");
      Safetensors.Entry b = side(module, pair, "B");
      if (a.shape().size() != 2
          || b.shape().size() != 2
          || !a.shape().get(0).equals(b.shape().get(1))) {
        throw file.broken("%s: A is %s and B %s".formatted(module, a.shape(), b.shape()));
      }
      if (a.elements() == 0 || b.elements() == 0) {
        throw file.broken("%s: A is %s, without values".formatted(module, a.shape()));
      }
      float[] down = file.values(a);
      float[] up = file.values(b);
      int rank = Math.toIntExact(a.shape().get(0));
      int heads = base.pairedHeads(place.layer(), place.matrix());
      return new LowRank(
          Math.toIntExact(a.shape().get(1)),
          Math.toIntExact(b.shape().get(0)),
          rank,
          1,
          down,
          heads == 0 ? up : paired(module, up, rank, heads),
          config.scale(module, rank));
    }

    private Safetensors.Entry side(String module, Pair pair, String side) {
      return Optional.ofNullable(pair.sides.get(side))
          .orElseThrow(() -> file.broken("%s has no lora_%s".formatted(module, side)));
    }

    /** All experts in one. */
    private LowRank stacked(String matrix, NavigableMap<Integer, LowRank> experts) {
      LowRank one = experts.firstEntry().getValue();
      int count = experts.lastKey() + 1;
      if (experts.size() != count) {
        throw file.broken(
            "%s: %d experts of at least %d have a LoRA; all must"
                .formatted(matrix, experts.size(), count));
      }
      List<float[]> a = new ArrayList<>();
      List<float[]> b = new ArrayList<>();
      for (LowRank d : experts.values()) {
        if (d.in() != one.in()
            || d.out() != one.out()
            || d.rank() != one.rank()
            || d.scale() != one.scale()) {
          throw file.broken(matrix + ": the experts' LoRAs differ in size or scale");
        }
        a.add(d.a());
        b.add(d.b());
      }
      return new LowRank(one.in(), one.out(), one.rank(), count, joined(a), joined(b), one.scale());
    }

    private static float[] joined(List<float[]> parts) {
      float[] all = new float[Math.multiplyExact(parts.size(), parts.getFirst().length)];
      int done = 0;
      for (float[] part : parts) {
        System.arraycopy(part, 0, all, done, part.length);
        done += part.length;
      }
      return all;
    }
  }
}
