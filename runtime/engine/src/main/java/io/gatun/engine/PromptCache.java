package io.gatun.engine;

import java.util.Arrays;
import java.util.List;

/**
 * Keeps the keys and values of one conversation between requests: the next request computes only
 * what differs from the last one's tokens. When the engine runs out of cells it takes them back,
 * and the next request computes everything again.
 *
 * <p>Thread-safe; one request at a time uses it.
 */
public final class PromptCache implements AutoCloseable {
  private final Engine engine;
  private CellList cells;
  private int[] tokens;
  private List<AdapterUse> adapters = List.of();
  private boolean busy;
  private boolean closed;

  PromptCache(Engine engine, CellList cells, int[] tokens) {
    this.engine = engine;
    this.cells = cells;
    this.tokens = tokens;
  }

  /** A second conversation with the same past; nothing is copied. */
  public PromptCache fork() {
    return engine.onThread(() -> {
      requireUsable();
      PromptCache copy = new PromptCache(engine, cells.fork(), tokens);
      copy.adapters = adapters;
      return engine.adopt(copy);
    });
  }

  /** How many tokens are kept. */
  public int size() {
    return engine.onThread(() -> cells.size());
  }

  /** Frees the cells. */
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

  /** Gives up the cells, at the engine's request. */
  void evict() {
    cells.truncate(0);
    tokens = new int[0];
  }

  void closeOnThread() {
    closed = true;
    if (!busy) {
      evict();
    }
  }

  private void requireUsable() {
    if (closed) {
      throw new IllegalStateException("already closed: prompt cache");
    }
    if (busy) {
      throw new IllegalStateException("a request is still using this prompt cache");
    }
  }
}
