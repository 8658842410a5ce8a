package io.gatun.engine;

import io.gatun.engine.grammar.GrammarMatcher;
import io.gatun.engine.sample.Logits;
import io.gatun.engine.sample.Sampler;
import io.gatun.engine.sample.TokenHistory;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Optional;

/**
 * A request inside the engine: its tokens, the cells of those that are computed, its sampler.
 *
 * @owner the engine's thread
 */
final class Sequence {
  private static final long ORIGIN = System.nanoTime();

  private final GenerateRequest request;
  private final Generation generation;
  private final CellList cells;
  private final TokenHistory history;
  private final Sampler sampler;
  private final Optional<GrammarMatcher> grammar;
  private int cachedTokens;
  private final int rowsBefore;
  private final int prefixRows;
  private final int limit;
  private final long number;
  private final long deadline;
  private int[] tokens;
  private int size;
  private final Optional<AttentionTally> tally;
  private int forgotten;
  private long startNanos;
  private long firstTokenNanos;

  Sequence(
      GenerateRequest request,
      Generation generation,
      long number,
      CellList cells,
      int contextTokens,
      Logits workspace,
      Optional<GrammarMatcher> grammar) {
    this.request = request;
    this.grammar = grammar;
    this.generation = generation;
    this.cells = cells;
    this.number = number;
    this.deadline =
        request.service().deadline().map(time -> now() + time.toNanos()).orElse(Long.MAX_VALUE);
    this.cachedTokens = cells.size();
    int[] rows = request.rows();
    this.tokens = Arrays.copyOf(rows, rows.length + 64);
    this.size = rows.length;
    this.rowsBefore = rows.length - request.prompt().length;
    this.prefixRows = request.prefixRows();
    this.limit = (int) Math.min(contextTokens, (long) rowsBefore + request.policy().tokensMax());
    this.tally = request.policy().weighs() ? Optional.of(new AttentionTally()) : Optional.empty();
    this.history = new TokenHistory(request.prompt());
    this.sampler = new Sampler(request.sampling(), workspace);
  }

  GenerateRequest request() {
    return request;
  }

  Generation generation() {
    return generation;
  }

  /** In order of arrival. */
  long number() {
    return number;
  }

  /** When it ends, in nanoseconds since some time; the largest number for never. */
  long deadline() {
    return deadline;
  }

  boolean expired() {
    return now() > deadline;
  }

  private static long now() {
    return System.nanoTime() - ORIGIN;
  }

  CellList cells() {
    return cells;
  }

  /** Tokens whose keys and values are not computed yet; 1 while decoding. */
  int pending() {
    return size - Math.max(prefixRows, cells.size());
  }

  /** Positions without a cell: those that are to be computed, and those of a prefix. */
  int missing() {
    return size - cells.size();
  }

  /** How many cells it needs before it can go on: those of what is missing, if it may have them. */
  int wanted() {
    return Math.clamp(missing(), 0, Math.max(1, limit - cells.size()));
  }

  /** The most cells that it may have. */
  int limit() {
    return limit;
  }

  /** How many more tokens can be computed before it has to forget some. */
  int room() {
    return limit - cells.size() - (missing() - pending());
  }

  /** Whether it goes on beyond its limit. */
  boolean forgets() {
    return request.policy().forgets();
  }

  /** How many tokens are no longer there. */
  int forgotten() {
    return forgotten;
  }

  /** The attention that its rows got, if its policy wants to know. */
  Optional<AttentionTally> tally() {
    return tally;
  }

  /** Lets go of tokens; later ones move there. Cells are not its business. */
  void forget(BitSet rows) {
    int kept = 0;
    for (int i = 0; i < size; i++) {
      if (!rows.get(i)) {
        tokens[kept++] = tokens[i];
      }
    }
    forgotten += size - kept;
    tally.ifPresent(t -> t.forget(rows));
    size = kept;
  }

  int token(int position) {
    return tokens[position];
  }

  int size() {
    return size;
  }

  /** How many positions at the beginning have no token: those of prefixes, then soft prompts. */
  int rowsBefore() {
    return rowsBefore;
  }

  /** How many positions at the very beginning have keys and values that are given. */
  int prefixRows() {
    return prefixRows;
  }

  int completionTokens() {
    return size + forgotten - rowsBefore - request.prompt().length;
  }

  boolean wantsEveryRow() {
    return request.observer().map(LogitsObserver::everyRow).orElse(false);
  }

  /** Whether its logits go nowhere but into the choice of the best one. */
  boolean greedyOnly() {
    return request.sampling().equals(io.gatun.engine.sample.SamplerSettings.greedy())
        && request.logprobs() < 0
        && grammar.isEmpty()
        && request.observer().isEmpty();
  }

  int sample(float[] logits, int count) {
    return grammar.isPresent()
        ? sampler.sample(logits, count, history, grammar.get().allowed())
        : sampler.sample(logits, count, history);
  }

  /** What the completion has to look like, and how far it is. */
  Optional<GrammarMatcher> grammar() {
    return grammar;
  }

  void append(int token) {
    if (size == tokens.length) {
      tokens = Arrays.copyOf(tokens, 2 * size);
    }
    tokens[size++] = token;
    history.append(token);
  }

  void started() {
    if (startNanos == 0) {
      startNanos = System.nanoTime();
    }
  }

  /** Notes the time; whether this is the first token. */
  boolean firstToken() {
    boolean first = firstTokenNanos == 0;
    firstTokenNanos = first ? System.nanoTime() : firstTokenNanos;
    return first;
  }

  /** What is in its cells was not computed for it. */
  void recalled() {
    if (completionTokens() == 0) {
      cachedTokens = Math.max(cachedTokens, cells.size());
    }
  }

  /** All tokens that it has now, with zeros for rows before them. */
  int[] tokens() {
    return Arrays.copyOf(tokens, size);
  }

  /** The tokens whose keys and values are computed. */
  int[] computedTokens() {
    return Arrays.copyOf(tokens, cells.size());
  }

  Usage usage(int completion) {
    long now = System.nanoTime();
    long first = firstTokenNanos == 0 ? now : firstTokenNanos;
    return new Usage(
        request.prompt().length,
        cachedTokens,
        completion,
        forgotten,
        startNanos == 0 ? 0 : first - startNanos,
        now - first);
  }
}
