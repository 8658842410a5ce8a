package io.gatun.engine;

import io.gatun.engine.PrefixMatch.Reason;
import io.gatun.engine.PrefixTree.Node;
import io.gatun.engine.PrefixTree.Walk;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * What an engine remembers of finished requests: keys and values of their tokens, found again by
 * the longest common beginning. Prefixes of different adapters are apart, as their keys and values
 * are.
 *
 * @owner the engine's thread
 */
final class PrefixCache {
  /** Evicted prefixes that are remembered, to say why a prompt is computed again. */
  private static final int EVICTED_MAX = 64;

  private final PrefixCacheOptions options;
  private final CellTables tables;
  private final int tokensMax;
  private final Optional<PrefixDisk> disk;
  private final Map<List<AdapterUse>, PrefixTree> trees = new HashMap<>();
  private final Deque<Evicted> evicted = new ArrayDeque<>();
  private long now;
  private long found;

  private record Evicted(List<AdapterUse> adapters, int[] rows) {}

  private record Candidate(List<AdapterUse> adapters, PrefixTree tree, Node leaf) {}

  /**
   * @param tokenBytes bytes of one token's keys and values
   */
  PrefixCache(
      PrefixCacheOptions options, CellTables tables, long tokenBytes, Optional<PrefixDisk> disk) {
    this.options = options;
    this.tables = tables;
    this.tokensMax = (int) Math.min(Integer.MAX_VALUE, options.bytesMax() / tokenBytes);
    this.disk = disk;
  }

  /** The cells of the longest cached beginning of a request; the last row is never among them. */
  CellList find(GenerateRequest request) {
    CellList cells = new CellList(tables);
    find(request, request.rows(), cells);
    return cells;
  }

  /**
   * {@link #find(GenerateRequest)} for a request that has further rows by now.
   *
   * @param cells gets them; empty before
   */
  void find(GenerateRequest request, int[] rows, CellList cells) {
    boolean everyRow = request.observer().map(LogitsObserver::everyRow).orElse(false);
    if (tokensMax == 0 || everyRow) {
      return;
    }
    now++;
    PrefixTree tree = tree(request.adapters());
    int known = tree.usable(tree.walk(rows, rows.length - 1));
    if (disk.isPresent()
        && disk.get().read(request.adapters(), rows, known, cells, rows.length - 1)) {
      insert(request.adapters(), rows, cells);
    } else {
      Walk walk = tree.walk(rows, rows.length - 1); // reading may have made room
      tree.share(walk, tree.usable(walk), cells, now);
    }
    found += cells.size();
  }

  /** Remembers rows that are computed. */
  void insert(List<AdapterUse> adapters, int[] rows, CellList cells) {
    if (tokensMax > 0 && cells.size() > 0) {
      tree(adapters).insert(rows, cells, now);
      evictWhile(() -> tokens() > tokensMax);
    }
  }

  /** Drops prefixes until so many tokens have room, or nothing is left. */
  void makeRoom(int wanted) {
    trees.values().forEach(PrefixTree::dropUnseen);
    evictWhile(() -> !tables.holds(wanted));
  }

  /** Drops everything. */
  void forget() {
    evictWhile(() -> true);
  }

  int tokens() {
    return trees.values().stream().mapToInt(PrefixTree::tokens).sum();
  }

  /** How many tokens of requests were found here. */
  long found() {
    return found;
  }

  PrefixMatch explain(List<AdapterUse> adapters, int[] rows) {
    if (tokensMax == 0) {
      return new PrefixMatch(rows.length, 0, Reason.OFF, "this engine keeps no prefixes");
    }
    PrefixTree tree = tree(adapters);
    Walk walk = tree.walk(rows, rows.length - 1);
    int usable = tree.usable(walk);
    if (usable < walk.length()) {
      return match(
          rows,
          usable,
          Reason.WINDOW_GONE,
          "%d tokens are cached, but layers with a window no longer hold the last of them"
              .formatted(walk.length()));
    }
    if (walk.length() == rows.length - 1) {
      return match(rows, walk.length(), Reason.COMPLETE, "all but the last token");
    }
    Optional<Evicted> gone =
        evicted.stream()
            .filter(e -> e.adapters().equals(adapters))
            .filter(e -> agree(e.rows(), rows) > walk.length())
            .findFirst();
    if (gone.isPresent()) {
      return match(
          rows,
          walk.length(),
          Reason.EVICTED,
          "%d tokens were cached once and had to make room"
              .formatted(agree(gone.get().rows(), rows)));
    }
    int elsewhere = elsewhere(adapters, rows);
    if (elsewhere > walk.length()) {
      return match(
          rows,
          walk.length(),
          Reason.OTHER_ADAPTERS,
          "%d tokens are cached with other adapters".formatted(elsewhere));
    }
    if (walk.length() == 0) {
      return match(rows, 0, Reason.NEW, "nothing begins with token %d".formatted(rows[0]));
    }
    return walk.next()
        .map(next ->
            match(
                rows,
                walk.length(),
                Reason.DIVERGES,
                "token %d is %d here and %d in what is cached"
                    .formatted(walk.length(), rows[walk.length()], next)))
        .orElseGet(() -> match(rows, walk.length(), Reason.ENDS, "what is cached ends there"));
  }

  private static PrefixMatch match(int[] rows, int cached, Reason reason, String detail) {
    return new PrefixMatch(rows.length, cached, reason, detail);
  }

  private int elsewhere(List<AdapterUse> adapters, int[] rows) {
    return trees.entrySet().stream()
        .filter(e -> !e.getKey().equals(adapters))
        .mapToInt(e -> e.getValue().walk(rows, rows.length - 1).length())
        .max()
        .orElse(0);
  }

  private static int agree(int[] one, int[] other) {
    int at = Arrays.mismatch(one, other);
    return at < 0 ? one.length : at;
  }

  private PrefixTree tree(List<AdapterUse> adapters) {
    return trees.computeIfAbsent(adapters, _ -> new PrefixTree(tables));
  }

  /** Drops the prefix of least worth, and again, while there is reason to. */
  private void evictWhile(BooleanSupplier reason) {
    while (tokens() > 0 && reason.getAsBoolean()) {
      List<Candidate> leaves =
          trees.entrySet().stream()
              .flatMap(e ->
                  e.getValue().leaves().stream()
                      .map(leaf -> new Candidate(e.getKey(), e.getValue(), leaf)))
              .toList();
      evict(
          leaves.stream()
              .min(
                  Comparator.comparingDouble(
                      c -> options.policy().worth(c.tree().describe(c.leaf(), now))))
              .orElseThrow());
    }
    trees.values().removeIf(tree -> tree.tokens() == 0);
  }

  private void evict(Candidate c) {
    int[] rows = c.tree().rows(c.leaf());
    if (disk.isPresent()) {
      Walk walk = c.tree().walk(rows, rows.length);
      if (c.tree().usable(walk) == rows.length) {
        CellList cells = new CellList(tables);
        c.tree().share(walk, rows.length, cells, now);
        disk.get().write(c.adapters(), rows, cells);
        cells.truncate(0);
      }
    }
    evicted.addFirst(new Evicted(c.adapters(), rows));
    if (evicted.size() > EVICTED_MAX) {
      evicted.removeLast();
    }
    c.tree().remove(c.leaf());
  }
}
