package io.gatun;

import io.gatun.engine.ContextPolicy;
import io.gatun.model.chat.ChatMessage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/**
 * What a conversation has lost by context shifts: so many tokens behind its first ones. A prompt
 * without them begins like what the cache still holds, so that only what is new is computed.
 */
final class ForgottenTurns {
  /** By how many tokens at most a place is looked for elsewhere. */
  private static final int DRIFT_MAX = 64;

  /** So many equal tokens are the same place. */
  private static final int AGREEING = 8;

  private final int keep;
  private int forgotten;

  /**
   * @param encode makes a prompt of messages
   * @param system what is always remembered
   */
  ForgottenTurns(Function<List<ChatMessage>, int[]> encode, List<ChatMessage> system) {
    this.keep = same(encode.apply(asked(system, "a")), encode.apply(asked(system, "b")));
  }

  /** What any conversation behind these messages begins with. */
  private static int same(int[] one, int[] other) {
    int at = Arrays.mismatch(one, other);
    return at < 0 ? one.length : at;
  }

  private static List<ChatMessage> asked(List<ChatMessage> system, String question) {
    List<ChatMessage> messages = new ArrayList<>(system);
    messages.add(ChatMessage.user(question));
    return messages;
  }

  /** Keeps what any conversation begins with. */
  ContextPolicy policy() {
    return ContextPolicy.shift(keep);
  }

  /**
   * A whole conversation's tokens but for those that are forgotten.
   *
   * @param cached what the cache holds: what is left of the conversation so far
   */
  int[] without(int[] whole, int[] cached) {
    if (forgotten == 0) {
      return whole;
    }
    if (!align(whole, cached)) {
      // All is computed again, so as much is told as the cache held: its end has the question.
      forgotten = Math.max(0, whole.length - Math.max(keep + 1, cached.length));
    }
    int from = keep + forgotten;
    int[] left = Arrays.copyOf(whole, whole.length - forgotten);
    System.arraycopy(whole, from, left, keep, whole.length - from);
    return left;
  }

  /**
   * Written text may have become other tokens, and more or fewer of them, than it came as; or the
   * template leaves out what was thought, and the place is not found.
   */
  private boolean align(int[] whole, int[] cached) {
    for (int distance = 0; distance < DRIFT_MAX; distance++) {
      for (int next : new int[] {forgotten + distance, forgotten - distance}) {
        if (agree(whole, keep + next, cached)) {
          forgotten = next;
          return true;
        }
      }
    }
    return false;
  }

  private boolean agree(int[] whole, int from, int[] cached) {
    return from >= keep
        && from + AGREEING <= whole.length
        && keep + AGREEING <= cached.length
        && Arrays.equals(whole, from, from + AGREEING, cached, keep, keep + AGREEING);
  }

  /** Notes what an answer, which has ended, let go. */
  void add(AnswerStream answer) {
    try {
      add(answer.usage().forgottenTokens());
    } catch (RuntimeException failed) {
      forgotten = 0; // the next prompt tells all again; its reader has seen the failure
    }
  }

  void add(int tokens) {
    forgotten += tokens;
  }

  /** The conversation has changed: the next prompt is told as a whole. */
  void clear() {
    forgotten = 0;
  }
}
