package io.gatun;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.model.chat.ChatMessage;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Which part of a conversation is told again. */
class ForgottenTurnsTest {
  private static final int KEEP = 10;

  private final ForgottenTurns turns = new ForgottenTurns(ForgottenTurnsTest::encode, List.of());

  /** Ten tokens that all conversations begin with, and the question's letters. */
  private static int[] encode(List<ChatMessage> messages) {
    IntStream letters = messages.getLast().content().chars();
    return IntStream.concat(IntStream.range(0, KEEP), letters).toArray();
  }

  @Test
  void what_was_forgotten_is_left_out() {
    int[] whole = IntStream.range(0, 200).toArray();
    assertThat(turns.without(whole, new int[0])).isEqualTo(whole);
    turns.add(60);
    int[] expected = IntStream.concat(IntStream.range(0, 10), IntStream.range(70, 200)).toArray();
    assertThat(turns.without(whole, Arrays.copyOf(expected, 90))).isEqualTo(expected);
    turns.clear();
    assertThat(turns.without(whole, expected)).isEqualTo(whole);
  }

  @Test
  void the_place_is_found_where_text_became_more_or_fewer_tokens() {
    int[] whole = IntStream.range(0, 200).toArray();
    int[] cached = IntStream.concat(IntStream.range(0, 10), IntStream.range(73, 120)).toArray();
    int[] expected = IntStream.concat(IntStream.range(0, 10), IntStream.range(73, 200)).toArray();
    turns.add(60);
    assertThat(turns.without(whole, cached)).isEqualTo(expected);
    turns.clear();
    turns.add(66);
    assertThat(turns.without(whole, cached)).isEqualTo(expected);
  }

  /** As with templates that leave out what a model thought: more is forgotten than there is. */
  @Test
  void where_the_place_is_gone_the_end_is_told() {
    int[] cached = IntStream.range(5000, 5100).toArray();
    turns.add(1000);
    assertThat(turns.without(IntStream.range(0, 60).toArray(), cached)).hasSize(60);
    turns.add(1000);
    int[] left = turns.without(IntStream.range(0, 300).toArray(), cached);
    assertThat(left).hasSize(100).startsWith(0, 1, 2).endsWith(298, 299);
  }
}
