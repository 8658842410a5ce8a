package io.gatun.adapters.peft;

import com.fasterxml.jackson.jr.ob.JSON;
import io.gatun.model.ModelFormatException;
import io.gatun.model.UnsupportedModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/** {@code adapter_config.json}: what PEFT says of an adapter beside its tensors. */
record PeftConfig(
    Path file,
    Kind kind,
    float alpha,
    boolean rankStabilised,
    Map<String, Float> alphas,
    Map<String, String> metadata) {

  private static final long BYTES_MAX = 1 << 22;

  enum Kind {
    LORA,
    PROMPT_TUNING
  }

  static PeftConfig read(Path file) throws IOException {
    if (Files.size(file) > BYTES_MAX) {
      throw new ModelFormatException(
          "%s has %d bytes, expected at most %d".formatted(file, Files.size(file), BYTES_MAX));
    }
    Map<String, Object> json;
    try {
      json = JSON.std.mapFrom(Files.readAllBytes(file));
    } catch (com.fasterxml.jackson.core.JacksonException e) {
      throw new ModelFormatException(file + " is no JSON object", e);
    }
    Kind kind =
        switch (String.valueOf(json.get("peft_type"))) {
          case "LORA" -> Kind.LORA;
          case "PROMPT_TUNING" -> Kind.PROMPT_TUNING;
          default ->
              throw new UnsupportedModelException(
                  "%s: peft_type is %s; LORA and PROMPT_TUNING are supported"
                      .formatted(file, json.get("peft_type")));
        };
    refuse(file, json, "use_dora", "DoRA, which scales whole rows");
    refuse(file, json, "lora_bias", "biases of a LoRA");
    refuse(file, json, "modules_to_save", "whole matrices beside the LoRA");
    refuse(file, json, "trainable_token_indices", "trained tokens");
    refuse(file, json, "megatron_config", "Megatron's parts of matrices");
    Map<String, Float> alphas = new LinkedHashMap<>();
    if (json.getOrDefault("alpha_pattern", Map.of()) instanceof Map<?, ?> patterns) {
      patterns.forEach((key, value) ->
          alphas.put(pattern(file, String.valueOf(key)), number(file, "alpha_pattern", value)));
    }
    Map<String, String> metadata = new LinkedHashMap<>();
    if (json.get("alora_invocation_tokens") instanceof List<?> tokens && !tokens.isEmpty()) {
      metadata.put(
          "adapter.alora.invocation_tokens",
          tokens.stream()
              .map(token -> String.valueOf((int) number(file, "alora_invocation_tokens", token)))
              .collect(Collectors.joining(" ")));
    }
    if (json.get("base_model_name_or_path") instanceof String base && !base.isEmpty()) {
      metadata.put("general.base_model.0.name", base);
    }
    float alpha = 0;
    if (kind == Kind.LORA) {
      alpha = number(file, "lora_alpha", Objects.requireNonNullElse(json.get("lora_alpha"), 8));
    }
    boolean stabilised = Boolean.TRUE.equals(json.get("use_rslora"));
    return new PeftConfig(file, kind, alpha, stabilised, alphas, metadata);
  }

  /** What B·A of a module is multiplied with. */
  float scale(String module, int rank) {
    float own = alpha;
    for (Map.Entry<String, Float> pattern : alphas.entrySet()) {
      if (module.equals(pattern.getKey()) || module.endsWith("." + pattern.getKey())) {
        own = pattern.getValue();
        break;
      }
    }
    return (float) (own / (rankStabilised ? Math.sqrt(rank) : rank));
  }

  private static void refuse(Path file, Map<String, Object> json, String key, String what) {
    Object value = json.get(key);
    boolean absent =
        value == null
            || value.equals(false)
            || (value instanceof List<?> list && list.isEmpty())
            || (value instanceof Map<?, ?> map && map.isEmpty());
    if (!absent) {
      throw new UnsupportedModelException(
          "%s: %s is %s: %s are not supported".formatted(file, key, value, what));
    }
  }

  /** Patterns may be regular expressions; names of modules are what is written in practice. */
  private static String pattern(Path file, String key) {
    String plain = key.startsWith("^") ? key.substring(1) : key;
    plain = plain.endsWith("$") ? plain.substring(0, plain.length() - 1) : plain;
    plain = plain.replace("\\.", ".");
    if (!plain.matches("[\\w.]+")) {
      throw new UnsupportedModelException(
          "%s: alpha_pattern has \"%s\"; names of modules are supported, expressions are not"
              .formatted(file, key));
    }
    return plain;
  }

  private static float number(Path file, String key, Object value) {
    if (value instanceof Number number && Float.isFinite(number.floatValue())) {
      return number.floatValue();
    }
    throw new ModelFormatException(
        "%s: the key %s should be a number but is %s".formatted(file, key, value));
  }
}
