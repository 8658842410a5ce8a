package io.gatun.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A radix tree over rows of tokens, each with its cells: what several prompts begin with is there
 * once (arXiv 2312.07104). It is a user of its cells as sequences are.
 *
 * @owner the engine's thread
 */
final class PrefixTree {
  private final CellTables tables;
  private final Node root = new Node(null, new int[0], new int[0], new int[0]);
  private int tokens;

  PrefixTree(CellTables tables) {
    this.tables = tables;
  }

  /** An edge with what it leads to. */
  static final class Node {
    private @Nullable Node parent;
    private int[] rows;
    private int[] cells;

    /** Cells of layers with a window, −1 where they are no longer held. */
    private int[] windowed;

    private final Map<Integer, Node> children = new HashMap<>();
    private long lastUse;
    private long uses;

    Node(@Nullable Node parent, int[] rows, int[] cells, int[] windowed) {
      this.parent = parent;
      this.rows = rows;
      this.cells = cells;
      this.windowed = windowed;
    }

    int size() {
      return rows.length;
    }

    boolean leaf() {
      return children.isEmpty();
    }
  }

  /**
   * Where a prompt leads.
   *
   * @param path nodes from the root on, the last one maybe in part
   * @param length how many rows agree
   * @param next the row with which the last node goes on, if it does
   */
  record Walk(List<Node> path, int length, Optional<Integer> next) {}

  /** How many tokens it holds. */
  int tokens() {
    return tokens;
  }

  Walk walk(int[] rows, int limit) {
    List<Node> path = new ArrayList<>();
    Node node = root;
    int length = 0;
    while (length < limit) {
      Node child = node.children.get(rows[length]);
      if (child == null) {
        return new Walk(path, length, node.children.keySet().stream().findFirst());
      }
      path.add(child);
      int common = common(child.rows, rows, length, limit);
      length += common;
      if (common < child.size()) {
        return new Walk(path, length, Optional.of(child.rows[common]));
      }
      node = child;
    }
    return new Walk(path, length, node.children.keySet().stream().findFirst());
  }

  private static int common(int[] edge, int[] rows, int from, int limit) {
    int most = Math.min(edge.length, limit - from);
    int at = Arrays.mismatch(edge, 0, most, rows, from, from + most);
    return at < 0 ? most : at;
  }

  /** The longest beginning of a walk at which layers with a window hold what the next row sees. */
  int usable(Walk walk) {
    if (tables.windowed().isEmpty()) {
      return walk.length();
    }
    int usable = 0;
    int run = 0; // held rows in a stretch
    int position = 0;
    for (Node node : walk.path()) {
      for (int i = 0; i < node.size() && position < walk.length(); i++) {
        run = node.windowed[i] < 0 ? 0 : run + 1;
        position++;
        if (run >= Math.min(position, tables.window() - 1)) {
          usable = position;
        }
      }
    }
    return usable;
  }

  /** Shares the first rows of a walk with an empty list. */
  void share(Walk walk, int length, CellList list, long now) {
    for (Node node : walk.path()) {
      node.lastUse = now;
      node.uses++;
      for (int i = 0; i < node.size() && list.size() < length; i++) {
        list.share(node.cells[i], node.windowed[i], node.windowed[i] >= 0);
      }
    }
  }

  /** Keeps rows with the cells of a list. */
  void insert(int[] rows, CellList list, long now) {
    int length = Math.min(rows.length, list.size());
    Node node = root;
    int at = 0;
    while (at < length) {
      Node child = node.children.get(rows[at]);
      if (child == null) {
        Node added = taken(node, rows, list, at, length);
        added.lastUse = now;
        node.children.put(rows[at], added);
        return;
      }
      int common = common(child.rows, rows, at, length);
      if (common < child.size()) {
        split(child, common);
      }
      regain(child, list, at);
      child.lastUse = now;
      at += child.size();
      node = child;
    }
  }

  private Node taken(Node parent, int[] rows, CellList list, int from, int to) {
    int[] cells = new int[to - from];
    int[] windowed = new int[to - from];
    for (int i = 0; i < cells.length; i++) {
      cells[i] = list.at(from + i);
      tables.full().retain(cells[i]);
      windowed[i] = -1;
    }
    tokens += cells.length;
    Node node = new Node(parent, Arrays.copyOfRange(rows, from, to), cells, windowed);
    regain(node, list, from);
    return node;
  }

  /** Takes what a list holds of layers with a window, where the node has lost it. */
  private void regain(Node node, CellList list, int from) {
    for (int i = 0; i < node.size(); i++) {
      if (node.windowed[i] < 0 && from + i >= list.held()) {
        node.windowed[i] = list.windowedAt(from + i);
        int cell = node.windowed[i];
        tables.windowed().ifPresent(w -> w.retain(cell));
      }
    }
  }

  /** Cuts a node in two; the first part stays in its parent's place. */
  private void split(Node node, int at) {
    Node tail =
        new Node(
            node,
            Arrays.copyOfRange(node.rows, at, node.size()),
            Arrays.copyOfRange(node.cells, at, node.size()),
            Arrays.copyOfRange(node.windowed, at, node.size()));
    tail.children.putAll(node.children);
    tail.children.values().forEach(child -> child.parent = tail);
    tail.lastUse = node.lastUse;
    tail.uses = node.uses;
    node.rows = Arrays.copyOf(node.rows, at);
    node.cells = Arrays.copyOf(node.cells, at);
    node.windowed = Arrays.copyOf(node.windowed, at);
    node.children.clear();
    node.children.put(tail.rows[0], tail);
  }

  /** All nodes that nothing builds on. */
  List<Node> leaves() {
    List<Node> leaves = new ArrayList<>();
    List<Node> open = new ArrayList<>(root.children.values());
    while (!open.isEmpty()) {
      Node node = open.removeLast();
      if (node.leaf()) {
        leaves.add(node);
      }
      open.addAll(node.children.values());
    }
    return leaves;
  }

  EvictionPolicy.CachedPrefix describe(Node leaf, long now) {
    return new EvictionPolicy.CachedPrefix(
        before(leaf), leaf.size(), leaf.uses, now - leaf.lastUse);
  }

  /** All rows up to the end of a node. */
  int[] rows(Node leaf) {
    int[] rows = new int[before(leaf) + leaf.size()];
    int end = rows.length;
    for (Node node = leaf; node != null; node = node.parent) {
      end -= node.size();
      System.arraycopy(node.rows, 0, rows, end, node.size());
    }
    return rows;
  }

  private static int before(Node node) {
    int before = 0;
    for (Node above = node.parent; above != null; above = above.parent) {
      before += above.size();
    }
    return before;
  }

  /** Gives back a leaf's cells. */
  void remove(Node leaf) {
    assert leaf.leaf() && leaf.parent != null;
    for (int i = 0; i < leaf.size(); i++) {
      tables.full().release(leaf.cells[i]);
      release(leaf, i);
    }
    tokens -= leaf.size();
    if (leaf.parent != null) {
      leaf.parent.children.remove(leaf.rows[0]);
    }
  }

  /** Gives back what layers with a window hold, but for what the ends of nodes need. */
  void dropUnseen() {
    if (tables.windowed().isPresent()) {
      root.children.values().forEach(this::dropUnseen);
    }
  }

  /** How many rows from a node's beginning on something below it still needs before itself. */
  private int dropUnseen(Node node) {
    int needed = tables.window(); // as for lists
    for (Node child : node.children.values()) {
      needed = Math.max(needed, dropUnseen(child));
    }
    for (int i = 0; i < node.size() - needed; i++) {
      release(node, i);
    }
    return Math.max(0, needed - node.size());
  }

  private void release(Node node, int i) {
    if (node.windowed[i] >= 0) {
      int cell = node.windowed[i];
      tables.windowed().ifPresent(w -> w.release(cell));
      node.windowed[i] = -1;
    }
  }
}
