package io.gatun.model.chat.reply;

import java.util.List;

/**
 * How a model sets its reasoning apart.
 *
 * @param ends any of which ends it
 * @param anywhere whether it may also begin behind content; with a token of its own it may, with
 *     letters that an answer could contain it may not
 * @param strays what is left out of content when it stands there alone
 */
record Thinking(String begin, List<String> ends, boolean anywhere, List<String> strays) {
  /** The tags of DeepSeek R1, which most follow. */
  static final Thinking TAGS = tags("<think>", "</think>");

  /** Letters before it and behind. */
  static Thinking tags(String begin, String end) {
    return new Thinking(begin, List.of(end), false, List.of());
  }

  /** Tokens of their own. */
  static Thinking tokens(String begin, String... ends) {
    return new Thinking(begin, List.of(ends), true, List.of());
  }

  Thinking withStrays(String... texts) {
    return new Thinking(begin, ends, anywhere, List.of(texts));
  }
}
