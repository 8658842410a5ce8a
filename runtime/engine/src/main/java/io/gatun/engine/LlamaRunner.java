package io.gatun.engine;

import io.gatun.model.Hyperparams;
import io.gatun.model.KvTypes;
import io.gatun.model.Model;
import io.gatun.model.UnsupportedModelException;
import io.gatun.tensor.CapacityException;
import io.gatun.tensor.NativeException;
import io.gatun.tensor.llama.LlamaContext;
import io.gatun.tensor.llama.LlamaModel;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Computes steps with libllama's own decoding, for models that Gatun has no graph of. Scheduling,
 * sampling, grammars and cancelling are the engine's, as for any model.
 *
 * @owner the engine's thread; only {@link #cancel} may be called from others
 */
final class LlamaRunner implements StepRunner {
  private static final System.Logger LOG = System.getLogger("io.gatun.engine");

  /** libllama's own bound (LLAMA_MAX_SEQ). */
  private static final int NUMBERS_MAX = 256;

  /** A state of a recurrent model takes as much as hundreds of tokens of another. */
  private static final int RECURRENT_MAX = 8;

  private final LlamaContext context;
  private final LlamaSequences sequences;
  private final LlamaAdapters adapters;
  private final KvMemory memory;
  private final RowReader reader;
  private final LlamaLogits logits = new LlamaLogits();
  private final int sequencesMax;
  private long computeNanos;

  LlamaRunner(Model model, LlamaModel llama, EngineOptions options) {
    requireDecoder(model, llama);
    Hyperparams h = model.hyperparams();
    int numbers = llama.recurrent() ? RECURRENT_MAX : NUMBERS_MAX;
    sequencesMax = Math.min(options.sequencesMax(), numbers / 2);
    int cells = Engine.kvSize(h, options).cells();
    context = context(model, llama, options, cells, Math.min(numbers, 2 * sequencesMax));
    boolean moves = !options.kvTypes().keys().quantized();
    sequences = new LlamaSequences(context, Math.min(numbers, 2 * sequencesMax), moves);
    adapters = new LlamaAdapters(llama, context, h.embeddingLength(), h.layerCount());
    CellTables tables = CellTables.mirrored(cells, sequences);
    if (options.prefixCache().bytesMax() > 0) {
      LOG.log(
          Level.WARNING,
          "{0}: libllama computes it, so beginnings of requests are not cached; hold a KvSequence",
          model.name());
    }
    PrefixCache none = new PrefixCache(PrefixCacheOptions.none(), tables, 1, Optional.empty());
    memory = new KvMemory(tables, new LlamaMover(sequences), none, Optional.empty());
    reader = new RowReader(model.vocabularySize());
  }

  private static void requireDecoder(Model model, LlamaModel llama) {
    if (llama.readsWithEncoder()) {
      throw new UnsupportedModelException(
          "%s: %s reads with an encoder and writes with a decoder, which neither Gatun's graphs nor its use of libllama does"
              .formatted(model.name(), model.hyperparams().architecture()));
    }
  }

  private static LlamaContext context(
      Model model, LlamaModel llama, EngineOptions options, int cells, int numbers) {
    KvTypes types = options.kvTypes();
    if (types.outerLayers() > 0) {
      throw new UnsupportedModelException(
          "%s: libllama computes it, and its KV cache has one type for all layers (--kv-outer 0)"
              .formatted(model.name()));
    }
    try {
      return LlamaContext.general(
          llama,
          cells,
          options.batchRows(),
          numbers,
          options.threads(),
          types.keys(),
          types.values());
    } catch (NativeException e) {
      throw new CapacityException(
          "%s: libllama has no memory for %d tokens of context, or does not take KV caches of %s and %s: %s"
              .formatted(model.name(), cells, types.keys(), types.values(), e.getMessage()));
    }
  }

  @Override
  public boolean compute(Batch batch) {
    logits.clear(batch.outputs());
    Set<CellList> used =
        IntStream.range(0, batch.rows())
            .mapToObj(row -> batch.sequence(row).cells())
            .collect(Collectors.toSet());
    for (List<Integer> rows : byAdapters(batch).values()) {
      if (!decode(batch, rows, used)) {
        return false;
      }
    }
    return true;
  }

  private static Map<List<AdapterUse>, List<Integer>> byAdapters(Batch batch) {
    Map<List<AdapterUse>, List<Integer>> groups = new LinkedHashMap<>();
    for (int row = 0; row < batch.rows(); row++) {
      groups
          .computeIfAbsent(batch.sequence(row).request().adapters(), _ -> new ArrayList<>())
          .add(row);
    }
    return groups;
  }

  private boolean decode(Batch batch, List<Integer> rows, Set<CellList> used) {
    int count = rows.size();
    int[] tokens = new int[count];
    int[] positions = new int[count];
    int[] numbers = new int[count];
    boolean[] wanted = new boolean[count];
    int[] outputs = new int[batch.rows()]; // of each row, −1 for none
    Arrays.fill(outputs, -1);
    for (int output = 0; output < batch.outputs(); output++) {
      outputs[batch.outputRow(output)] = output;
    }
    for (int i = 0; i < count; i++) {
      int row = rows.get(i);
      Sequence sequence = batch.sequence(row);
      positions[i] = batch.position(row);
      tokens[i] = sequence.token(positions[i]);
      numbers[i] = sequences.of(sequence.cells(), used);
      wanted[i] = outputs[row] >= 0;
    }
    adapters.activate(batch.sequence(rows.getFirst()).request().adapters());
    long start = System.nanoTime();
    boolean done = context.tryDecode(tokens, positions, numbers, wanted);
    computeNanos += System.nanoTime() - start;
    for (int i = 0; done && i < count; i++) {
      if (wanted[i]) {
        logits.take(outputs[rows.get(i)], context, i);
      }
    }
    return done;
  }

  @Override
  public RowReader.Row row(int output) {
    return reader.row(logits, output);
  }

  /** There are none: adapters that give keys and values are refused. */
  @Override
  public void seed(Sequence sequence) {
    throw new IllegalStateException("libllama takes no prefixes");
  }

  /** It keeps queries and keys to itself. */
  @Override
  public boolean weighs() {
    return false;
  }

  @Override
  public int sequencesMax() {
    return sequencesMax;
  }

  @Override
  public KvMemory memory() {
    return memory;
  }

  @Override
  public LlamaAdapters adapters() {
    return adapters;
  }

  @Override
  public void cancel() {
    context.cancel();
  }

  @Override
  public void clearCancel() {
    context.clearCancel();
  }

  @Override
  public void pause() {
    context.pause();
  }

  @Override
  public long computeNanos() {
    return computeNanos;
  }

  @Override
  public long graphsBuilt() {
    return 0;
  }

  @Override
  public long computeBytes() {
    return 0;
  }

  @Override
  public void close() {
    adapters.close();
    memory.close();
    context.close();
    reader.close();
  }
}
