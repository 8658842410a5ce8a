package io.gatun.engine;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/**
 * The keys and values of one sequence of tokens: a value that a program holds, lets grow, forks,
 * rewinds, saves, and gives to requests, which then compute only what differs from its tokens.
 *
 * <p>Forks share cells: nothing is copied until one of them changes what is shared. When the engine
 * runs out of cells it takes those of idle sequences; their tokens stay, and the next use computes
 * them again. Positions count tokens; rows that prefixes and soft prompts put before them do not
 * count.
 *
 * <p>Thread-safe; one request at a time uses it, and meanwhile every other use but {@link #close}
 * throws {@link IllegalStateException}, as all do after it. Closing the engine frees its cells too.
 */
public final class KvSequence implements AutoCloseable {
  private final Engine engine;
  private CellList cells;

  /** What the cells stand for: rows before the first token, as zeros, and the tokens. */
  private int[] rows;

  private List<AdapterUse> adapters;
  private boolean busy;
  private boolean closed;

  KvSequence(Engine engine, CellList cells, int[] rows, List<AdapterUse> adapters) {
    this.engine = engine;
    this.cells = cells;
    this.rows = rows;
    this.adapters = adapters;
  }

  /**
   * Computes the keys and values of further tokens and waits for them.
   *
   * @throws io.gatun.tensor.CapacityException when the context has no room for them
   * @throws IllegalArgumentException when a token is not in the vocabulary
   */
  public void append(int... more) {
    int[] before = tokens();
    int[] all = Arrays.copyOf(before, before.length + more.length);
    System.arraycopy(more, 0, all, before.length, more.length);
    if (all.length == 0) {
      return;
    }
    GenerateRequest request =
        GenerateRequest.of(all).withMaxTokens(0).withAdapters(adapters()).withKeep(this);
    try (Generation generation = engine.submit(request)) {
      var _ = generation.finishReason();
    }
  }

  /** A second sequence with the same past; cells are shared, nothing is copied. */
  public KvSequence fork() {
    return using(() -> engine.adopt(new KvSequence(engine, cells.fork(), rows, adapters)));
  }

  /**
   * Forgets all tokens behind the first so many, at once.
   *
   * @throws IllegalArgumentException when it has fewer tokens
   */
  public void rewind(int length) {
    var _ =
        using(() -> {
          requireWithin("length", length, 0, count());
          int kept = before() + length;
          cells.truncate(kept);
          rows = Arrays.copyOf(rows, Math.min(rows.length, kept));
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
        using(() -> {
          requireWithin("count", count, 0, count());
          rewind(count() - count);
          return true;
        });
  }

  /**
   * Forgets the tokens of [from, to) and moves what is behind them there: their keys are turned to
   * the new positions, and all else of them still knows what was forgotten. This is not what
   * computing the remaining tokens would give, but near it, and at once (llama.cpp calls it context
   * shift). Cells that a fork shares are copied first.
   *
   * @throws IllegalArgumentException when it has fewer tokens
   * @throws io.gatun.model.UnsupportedModelException when the model's keys cannot move
   * @throws io.gatun.tensor.CapacityException when there are no cells for the copies
   */
  public void remove(int from, int to) {
    var _ =
        using(() -> {
          requireWithin("to", to, 0, count());
          requireWithin("from", from, 0, to);
          engine.memory().remove(cells, before() + from, before() + to);
          int[] kept = Arrays.copyOf(rows, rows.length - (to - from));
          System.arraycopy(rows, before() + to, kept, before() + from, count() - to);
          rows = kept;
          return true;
        });
  }

  /**
   * Writes tokens, keys and values into a file, for {@link Engine#restore}: at once or not at all.
   *
   * @throws IOException when it cannot be written
   */
  public void save(Path file) throws IOException {
    var _ =
        KvSnapshot.unwrapped(() ->
            using(() -> {
              KvSnapshot.of(engine, cells, rows, adapters).write(file);
              return true;
            }));
  }

  /** How many tokens it has. */
  public int size() {
    return engine.onThread(() -> {
      requireOpen();
      return count();
    });
  }

  /** How many of them have keys and values now: all, unless the engine needed their cells. */
  public int resident() {
    return engine.onThread(() -> {
      requireOpen();
      return Math.max(0, cells.size() - before());
    });
  }

  /** A copy of its tokens. */
  public int[] tokens() {
    return using(() -> Arrays.copyOfRange(rows, rows.length - count(), rows.length));
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
    int common = request.adapters().equals(adapters) ? Arrays.mismatch(rows, prompt) : 0;
    int kept = common < 0 ? prompt.length : common;
    adapters = request.adapters();
    // The last token is always computed, because its logits are wanted.
    cells.truncate(Math.min(kept, prompt.length - 1));
    return cells;
  }

  /** Takes the cells back, with the rows that they stand for. */
  void giveBack(CellList returned, int[] computed) {
    busy = false;
    cells = returned;
    rows = computed;
    if (closed) {
      cells.truncate(0);
    }
  }

  boolean busy() {
    return busy;
  }

  /** Gives back what layers with a window need no more. */
  void dropUnseen() {
    cells.dropUnseen();
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

  /** Runs something on the engine's thread while no request uses this. */
  private <T> T using(Supplier<T> work) {
    return engine.onThread(() -> {
      requireUsable();
      return work.get();
    });
  }

  private int count() {
    return Math.max(0, rows.length - before());
  }

  /** Rows of the adapters before the first token. */
  private int before() {
    return GenerateRequest.rowsBefore(adapters);
  }

  private static void requireWithin(String name, int value, int low, int high) {
    if (value < low || value > high) {
      throw new IllegalArgumentException(
          "%s must be %d to %d, got %d".formatted(name, low, high, value));
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
