package io.gatun.model.chat;

import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Formats of families whose files sometimes come without a template, recognised by tokens that only
 * they have.
 */
final class KnownTemplates {
  /** A family: its name, a token of its, and its format. */
  private record Family(String name, String token, String template) {}

  private static final List<Family> FAMILIES =
      List.of(
          new Family(
              "Llama 3",
              "<|start_header_id|>",
              """
              {{- bos_token }}{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>

              {{ m.content | trim }}<|eot_id|>{% endfor %}{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>

              {% endif %}\
              """),
          new Family(
              "ChatML",
              "<|im_start|>",
              """
              {% for m in messages %}<|im_start|>{{ m.role }}
              {{ m.content }}<|im_end|>
              {% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
              {% endif %}\
              """),
          new Family(
              "Gemma",
              "<start_of_turn>",
              """
              {{- bos_token }}{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system role') }}{% endif %}<start_of_turn>{{ 'model' if m.role == 'assistant' else m.role }}
              {{ m.content | trim }}<end_of_turn>
              {% endfor %}{% if add_generation_prompt %}<start_of_turn>model
              {% endif %}\
              """),
          new Family(
              "Phi 3",
              "<|assistant|>",
              """
              {% for m in messages %}<|{{ m.role }}|>
              {{ m.content }}<|end|>
              {% endfor %}{% if add_generation_prompt %}<|assistant|>
              {% endif %}\
              """),
          new Family(
              "Mistral",
              "[INST]",
              "{{ bos_token }}{% for m in messages %}{% if m.role == 'system' %}{{"
                  + " raise_exception('no system role') }}{% elif m.role == 'user' %}[INST] {{"
                  + " m.content }}[/INST]{% else %} {{ m.content }}{{ eos_token }}{% endif %}{%"
                  + " endfor %}"));

  private KnownTemplates() {}

  /**
   * The format of a family.
   *
   * @param hasToken whether the vocabulary has a token of a text
   */
  static Optional<Found> find(Predicate<String> hasToken) {
    return FAMILIES.stream()
        .filter(f -> hasToken.test(f.token()))
        .findFirst()
        .map(f -> new Found(f.name(), f.template()));
  }

  /** A format, and whose it is. */
  record Found(String family, String template) {}
}
