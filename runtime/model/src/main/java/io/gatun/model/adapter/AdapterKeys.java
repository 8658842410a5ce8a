package io.gatun.model.adapter;

import java.util.Set;

/**
 * The keys and tensors of adapter files.
 *
 * @source llama.cpp v0.4.0, src/llama-adapter.cpp and common/common.cpp; soft prompts, prefixes and
 *     gains are our own (docs/adapters.md)
 */
final class AdapterKeys {
  static final String GENERAL_TYPE = "general.type";
  static final String ARCHITECTURE = "general.architecture";
  static final String TYPE = "adapter.type";
  static final String ALPHA = "adapter.lora.alpha";
  static final String INVOCATION = "adapter.alora.invocation_tokens";
  static final String VECTOR = "controlvector";
  static final String HINT = "controlvector.model_hint";
  static final String DIRECTION = "direction.";
  static final String SOFT = "soft_prompt";
  static final String PREFIX = "prefix";
  static final String A = ".weight.lora_a";
  static final String B = ".weight.lora_b";
  static final String GAIN = ".weight.lora_gain";
  static final String LORA = "lora";

  /** A LoRA with gains: another type, so that llama.cpp refuses it and does not leave them out. */
  static final String DORA = "dora";

  /** Keys that say what the value's own fields say, or how the file is laid out. */
  static final Set<String> RESERVED =
      Set.of(GENERAL_TYPE, ARCHITECTURE, TYPE, ALPHA, "general.alignment");

  private AdapterKeys() {}
}
