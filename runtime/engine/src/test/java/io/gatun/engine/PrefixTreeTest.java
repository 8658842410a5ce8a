package io.gatun.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.model.KvSize;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Random prompts over a tiny alphabet: a cell found must hold what its whole prefix gives. */
class PrefixTreeTest {
  private static final int WINDOW = 5;

  private CellTables tables = CellTables.of(KvSize.of(1), 1, 1);
  private int[] full = {};
  private int[] windowed = {};

  @ParameterizedTest
  @CsvSource({"80, 80, 1", "80, 80, 2", "80, 30, 3", "60, 16, 4"})
  void what_is_found_was_computed_from_the_same_beginning(int cells, int windowCells, long seed) {
    tables = CellTables.of(new KvSize(cells, windowCells), WINDOW, 4);
    full = new int[cells];
    windowed = new int[windowCells];
    PrefixTree tree = new PrefixTree(tables);
    SplittableRandom random = new SplittableRandom(seed);
    List<int[]> past = new ArrayList<>();
    int longest = 0;
    for (int step = 0; step < 3000; step++) {
      int[] rows = prompt(random, past);
      PrefixTree.Walk walk = tree.walk(rows, rows.length - 1);
      int usable = tree.usable(walk);
      assertThat(usable).isLessThanOrEqualTo(walk.length());
      CellList list = new CellList(tables);
      tree.share(walk, usable, list, step);
      assertThat(list.size()).isEqualTo(usable);
      longest = Math.max(longest, usable);
      requireContents(list, rows);
      compute(tree, list, rows, random);
      tree.insert(rows, list, step);
      past.add(rows);
      assertThat(tree.walk(rows, rows.length).length()).isGreaterThanOrEqualTo(list.size());
      list.truncate(0);
      if (random.nextInt(5) == 0) {
        tree.dropUnseen();
      }
      assertThat(tables.full().free()).isEqualTo(cells - tree.tokens());
    }
    assertThat(longest).isGreaterThan(8);
    while (tree.tokens() > 0) {
      evictOne(tree);
    }
    assertThat(tables.full().free()).isEqualTo(cells);
    tables.windowed().ifPresent(w -> assertThat(w.free()).isEqualTo(windowCells));
  }

  private static int[] prompt(SplittableRandom random, List<int[]> past) {
    int[] fresh = random.ints(2 + random.nextInt(14), 0, 3).toArray();
    if (past.isEmpty() || random.nextInt(3) == 0) {
      return fresh;
    }
    int[] old = past.get(random.nextInt(past.size()));
    int[] mixed = Arrays.copyOf(old, Math.min(14, random.nextInt(old.length)) + fresh.length);
    System.arraycopy(fresh, 0, mixed, mixed.length - fresh.length, fresh.length);
    return mixed.length > 15 ? Arrays.copyOf(mixed, 15) : mixed;
  }

  private void compute(PrefixTree tree, CellList list, int[] rows, SplittableRandom random) {
    while (list.size() < rows.length) {
      while (tables.free() == 0) {
        if (random.nextBoolean()) {
          list.dropUnseen();
          tree.dropUnseen();
        }
        if (tables.free() == 0) {
          evictOne(tree);
        }
      }
      assertThat(list.append()).isTrue();
      int last = list.size() - 1;
      int content = Arrays.hashCode(Arrays.copyOf(rows, list.size()));
      full[list.at(last)] = content;
      if (tables.windowed().isPresent()) {
        windowed[list.windowedAt(last)] = content;
      }
    }
  }

  private static void evictOne(PrefixTree tree) {
    PrefixTree.Node oldest =
        tree.leaves().stream()
            .min(Comparator.comparingDouble(l -> -tree.describe(l, Integer.MAX_VALUE).idle()))
            .orElseThrow();
    assertThat(tree.rows(oldest)).hasSizeGreaterThanOrEqualTo(oldest.size());
    tree.remove(oldest);
  }

  private void requireContents(CellList list, int[] rows) {
    for (int p = 0; p < list.size(); p++) {
      int content = Arrays.hashCode(Arrays.copyOf(rows, p + 1));
      assertThat(full[list.at(p)]).isEqualTo(content);
      if (tables.windowed().isPresent() && p >= list.held()) {
        assertThat(windowed[list.windowedAt(p)]).isEqualTo(content);
      }
    }
    assertThat(list.held()).isLessThanOrEqualTo(Math.max(0, list.size() - WINDOW + 1));
  }
}
