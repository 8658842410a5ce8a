package io.gatun.engine;

import io.gatun.tensor.llama.LlamaContext;
import java.util.BitSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Which of libllama's numbered sequences stands for which list of cells. When numbers run out, the
 * list that was not used for longest gives its own up, and is computed again when it is used.
 *
 * @owner the engine's thread
 */
final class LlamaSequences implements CellMirror {
  private final LlamaContext context;
  private final int numbers;
  private final boolean moves;
  private final BitSet taken = new BitSet();
  private final Map<CellList, Integer> byList = new LinkedHashMap<>(16, 0.75f, true);

  /**
   * @param moves whether keys may be moved in the cache; libllama 0.4.0 crashes when it moves
   *     quantised keys of latent attention
   */
  LlamaSequences(LlamaContext context, int numbers, boolean moves) {
    this.context = context;
    this.numbers = numbers;
    this.moves = moves;
  }

  /**
   * The number of a list.
   *
   * @param used lists whose numbers must stay
   */
  int of(CellList list, Set<CellList> used) {
    Integer known = byList.get(list);
    return known == null ? take(list, used) : known;
  }

  @Override
  public int truncated(CellList list, int length) {
    Integer number = byList.get(list);
    if (number == null || (length > 0 && context.tryForget(number, length))) {
      return length;
    }
    var _ = context.tryForget(number, 0);
    taken.clear(number);
    byList.remove(list);
    return 0;
  }

  @Override
  public void forked(CellList from, CellList to) {
    Integer past = byList.get(from);
    if (past != null) {
      context.fork(past, take(to, Set.of(from)));
    }
  }

  /** Whether positions of a list can be taken out of its middle, without touching others. */
  boolean movable(CellList list, int from) {
    return moves && context.canShift() && list.shared(from) == 0;
  }

  /** Forgets positions of a list and moves what is behind them there. */
  void remove(CellList list, int from, int to) {
    Integer number = byList.get(list);
    if (number != null) {
      context.remove(number, from, to);
    }
  }

  private int take(CellList list, Set<CellList> used) {
    if (taken.cardinality() == numbers) {
      giveUpOldest(used);
    }
    int number = taken.nextClearBit(0);
    taken.set(number);
    byList.put(list, number);
    return number;
  }

  private void giveUpOldest(Set<CellList> used) {
    for (Iterator<CellList> lists = byList.keySet().iterator(); lists.hasNext(); ) {
      CellList oldest = lists.next();
      if (!used.contains(oldest)) {
        oldest.truncate(0);
        return;
      }
    }
    throw new IllegalStateException("a step has more than %d sequences".formatted(numbers));
  }
}
