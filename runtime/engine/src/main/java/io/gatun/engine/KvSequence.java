package io.gatun.engine;

import java.util.Arrays;
import java.util.List;

/**
 * The keys and values of one sequence of tokens: a value that a program holds, lets grow, forks,
 * rewinds and gives to requests, which then compute only what differs from its tokens.
 *
 * <p>Forks share cells: nothing is copied until one of them changes what is shared. When the engine
 * runs out of cells it takes those of idle sequences; their tokens stay, and the next use computes
 * them again.
 *
 * <p>Thread-safe; one request at a time uses it, and meanwhile every other use throws {@link
 * IllegalStateException}, as it does after {@link #close}. Closing the engine frees its cells too.
 */
public final class KvSequence implements AutoCloseable {
  private final Engine engine;
  private CellList cells;
  private int[] tokens;
  private List<AdapterUse> adapters = List.of();
  private boolean busy;
  private boolean closed;

  KvSequence(Engine engine, CellList cells, int[] tokens, List<AdapterUse> adapters) {
    this.engine = engine;
    this.cells = cells;
    this.tokens = tokens;
    this.adapters = adapters;
  }

  /**
   * Computes the keys and values of further tokens and waits for them.
   *
   * @throws io.gatun.tensor.CapacityException when the context has no room for them
   * @throws IllegalArgumentException when a token is not in the vocabulary
   */
  public void append(int... more) {
    int[] before = prompt();
    int[] all = Arrays.copyOf(before, before.length + more.length);
    System.arraycopy(more, 0, all, before.length, more.length);
    compute(all);
  }

  /** A second sequence with the same past; cells are shared, nothing is copied. */
  public KvSequence fork() {
    return engine.onThread(() -> {
      requireUsable();
      return engine.adopt(new KvSequence(engine, cells.fork(), tokens, adapters));
    });
  }

  /**
   * Forgets all tokens behind the first so many, at once.
   *
   * @throws IllegalArgumentException when it has fewer tokens
   */
  public void rewind(int length) {
    var _ =
        engine.onThread(() -> {
          requireUsable();
          requireWithin("length", length);
          cells.truncate(length);
          tokens = Arrays.copyOf(tokens, length);
          return true;
        });
  }

  /**
   * Forgets the last so many tokens.
   *
   * @throws IllegalArgumentException when it has fewer tokens
   */
  public void trim(int count) {
    var _ =
        engine.onThread(() -> {
          requireUsable();
          requireWithin("count", count);
          int length = tokens.length - count;
          cells.truncate(length);
          tokens = Arrays.copyOf(tokens, length);
          return true;
        });
  }

  /** How many tokens it has, with the rows of prefixes and soft prompts before them. */
  public int size() {
    return engine.onThread(() -> {
      requireOpen();
      return tokens.length;
    });
  }

  /** How many of them have keys and values now: all, unless the engine needed their cells. */
  public int resident() {
    return engine.onThread(() -> {
      requireOpen();
      return cells.size();
    });
  }

  /** A copy of its tokens, without the rows of prefixes and soft prompts. */
  public int[] tokens() {
    return engine.onThread(() -> {
      requireOpen();
      return Arrays.copyOfRange(tokens, Math.min(tokens.length, rowsBefore()), tokens.length);
    });
  }

  /** What changed the model while it was computed. */
  public List<AdapterUse> adapters() {
    return engine.onThread(() -> {
      requireOpen();
      return adapters;
    });
  }

  /** Frees the cells that no other sequence shares; while a request uses it, after that. */
  @Override
  public void close() {
    engine.release(this);
  }

  /**
   * Lends the cells of the tokens that a prompt begins with. What was computed with other adapters
   * is worth nothing.
   */
  CellList lend(GenerateRequest request) {
    requireUsable();
    busy = true;
    int[] prompt = request.rows();
    int common = request.adapters().equals(adapters) ? Arrays.mismatch(tokens, prompt) : 0;
    int kept = common < 0 ? prompt.length : common;
    adapters = request.adapters();
    // The last token is always computed, because its logits are wanted.
    cells.truncate(Math.min(kept, prompt.length - 1));
    return cells;
  }

  /** Takes the cells back, with the tokens that they stand for. */
  void giveBack(CellList returned, int[] computed) {
    busy = false;
    cells = returned;
    tokens = computed;
    if (closed) {
      cells.truncate(0);
    }
  }

  boolean busy() {
    return busy;
  }

  /** Gives up the cells, at the engine's request; the tokens stay. */
  void evict() {
    cells.truncate(0);
  }

  void closeOnThread() {
    closed = true;
    if (!busy) {
      evict();
    }
  }

  private int[] prompt() {
    return engine.onThread(() -> {
      requireUsable();
      return Arrays.copyOfRange(tokens, Math.min(tokens.length, rowsBefore()), tokens.length);
    });
  }

  private void compute(int[] prompt) {
    if (prompt.length == 0) {
      return;
    }
    GenerateRequest request =
        GenerateRequest.of(prompt).withMaxTokens(0).withAdapters(adapters()).withKeep(this);
    try (Generation generation = engine.submit(request)) {
      var _ = generation.finishReason();
    }
  }

  /** Rows of the adapters before the first token. */
  private int rowsBefore() {
    return GenerateRequest.of(0).withAdapters(adapters).rows().length - 1;
  }

  private void requireWithin(String name, int value) {
    if (value < 0 || value > tokens.length) {
      throw new IllegalArgumentException(
          "%s must be 0 to %d, how many tokens it has, got %d"
              .formatted(name, tokens.length, value));
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("already closed: sequence");
    }
  }

  private void requireUsable() {
    requireOpen();
    if (busy) {
      throw new IllegalStateException("a request is still using this sequence");
    }
  }
}
