package io.gatun.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.model.KvSize;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Random operations on sequences that share cells, against lists of what each position was when it
 * was computed. Memory is played by arrays that remember what was last written into each cell.
 */
class CellListTest {
  private static final int WINDOW = 6;
  private static final int STEPS = 4000;

  private final List<Played> sequences = new ArrayList<>();
  private CellTables tables = CellTables.of(KvSize.of(1), 1, 1);
  private long[] full = {};
  private long[] windowed = {};
  private long written;

  /** A sequence and what its positions ought to read. */
  private record Played(CellList cells, List<Long> contents) {}

  @ParameterizedTest
  @CsvSource({"64, 64, 1", "64, 64, 2", "64, 24, 3", "64, 24, 4", "40, 12, 5", "12, 12, 6"})
  void no_sequence_ever_reads_what_another_wrote(int cells, int windowCells, long seed) {
    tables = CellTables.of(new KvSize(cells, windowCells), WINDOW, 4);
    full = new long[cells];
    windowed = new long[windowCells];
    SplittableRandom random = new SplittableRandom(seed);
    for (int step = 0; step < STEPS; step++) {
      act(random);
      sequences.forEach(this::requireOwnContents);
      requireCounts();
    }
    sequences.forEach(s -> s.cells().truncate(0));
    assertThat(tables.full().free()).isEqualTo(cells);
    tables.windowed().ifPresent(w -> assertThat(w.free()).isEqualTo(windowCells));
  }

  private void act(SplittableRandom random) {
    if (sequences.isEmpty() || random.nextInt(12) == 0) {
      sequences.add(new Played(new CellList(tables), new ArrayList<>()));
      return;
    }
    Played s = sequences.get(random.nextInt(sequences.size()));
    int size = s.cells().size();
    switch (random.nextInt(8)) {
      case 0 -> sequences.add(new Played(s.cells().fork(), new ArrayList<>(s.contents())));
      case 1 -> {
        s.cells().truncate(random.nextInt(size + 1));
        s.contents().subList(s.cells().size(), size).clear();
      }
      case 2 -> remove(s, random);
      case 3 -> s.cells().dropUnseen();
      case 4 -> {
        if (sequences.size() > 4) {
          s.cells().truncate(0);
          sequences.remove(s);
        }
      }
      default -> append(s, 1 + random.nextInt(4));
    }
  }

  private void append(Played s, int count) {
    for (int i = 0; i < count; i++) {
      if (tables.free() == 0) {
        s.cells().dropUnseen();
      }
      if (s.cells().append()) {
        write(s.cells(), s.cells().size() - 1, ++written);
        s.contents().add(written);
      }
    }
  }

  /** Moves what is behind, as the engine does: copies what is shared, then changes it in place. */
  private void remove(Played s, SplittableRandom random) {
    int to = random.nextInt(s.cells().size() + 1);
    int from = random.nextInt(to + 1);
    if (s.cells().shared(to) > tables.free()) {
      return;
    }
    CellList.Copies copies = s.cells().own(to);
    copy(full, copies.full());
    copy(windowed, copies.windowed());
    s.cells().remove(from, to);
    s.contents().subList(from, to).clear();
    for (int p = from; p < s.cells().size(); p++) {
      s.contents().set(p, -s.contents().get(p)); // turned keys
      full[s.cells().at(p)] *= -1;
      if (tables.windowed().isPresent() && p >= s.cells().held()) {
        windowed[s.cells().windowedAt(p)] *= -1;
      }
    }
  }

  private static void copy(long[] memory, CellList.Moves moves) {
    for (int i = 0; i < moves.from().length; i++) {
      memory[moves.to()[i]] = memory[moves.from()[i]];
    }
  }

  private void write(CellList cells, int position, long value) {
    full[cells.at(position)] = value;
    if (tables.windowed().isPresent()) {
      windowed[cells.windowedAt(position)] = value;
    }
  }

  private void requireOwnContents(Played s) {
    assertThat(s.cells().size()).isEqualTo(s.contents().size());
    for (int p = 0; p < s.cells().size(); p++) {
      assertThat(full[s.cells().at(p)]).isEqualTo(s.contents().get(p));
      if (tables.windowed().isPresent() && p >= s.cells().held()) {
        assertThat(windowed[s.cells().windowedAt(p)]).isEqualTo(s.contents().get(p));
      }
    }
  }

  /** Every cell is free exactly when no list has it. */
  private void requireCounts() {
    Map<Integer, Integer> users = new HashMap<>();
    Map<Integer, Integer> windowUsers = new HashMap<>();
    for (Played s : sequences) {
      for (int p = 0; p < s.cells().size(); p++) {
        users.merge(s.cells().at(p), 1, Integer::sum);
        if (p >= s.cells().held()) {
          windowUsers.merge(s.cells().windowedAt(p), 1, Integer::sum);
        }
      }
    }
    assertThat(tables.full().free()).isEqualTo(full.length - users.size());
    tables
        .windowed()
        .ifPresent(w -> assertThat(w.free()).isEqualTo(windowed.length - windowUsers.size()));
  }
}
