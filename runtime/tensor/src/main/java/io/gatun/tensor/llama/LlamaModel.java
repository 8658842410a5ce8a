package io.gatun.tensor.llama;

import static java.lang.foreign.MemorySegment.NULL;

import io.gatun.bindings.NativeLibraries;
import io.gatun.bindings.NativeLog;
import io.gatun.bindings.ggml.Llama;
import io.gatun.bindings.ggml.llama_model_params;
import io.gatun.tensor.NativeException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.OptionalInt;

/**
 * A model in libllama: with its weights, to be computed or as the oracle, or only its vocabulary.
 *
 * @owner whoever opened it closes it, after its contexts; only while no other thread is inside
 */
public final class LlamaModel implements AutoCloseable {
  /** Longer tokens are rare and get a buffer of their own. */
  private static final int PIECE_BYTES = 256;

  private static final int TOKENS_PER_BYTE_MAX = 16;

  /** Attributes of tokens that stand for no text, as libllama has it. */
  private static final int SILENT =
      Llama.LLAMA_TOKEN_ATTR_UNKNOWN() | Llama.LLAMA_TOKEN_ATTR_CONTROL();

  private final String name;
  private final Arena arena;
  private final MemorySegment model;
  private final MemorySegment vocab;
  private boolean closed;

  private LlamaModel(String name, Arena arena, MemorySegment model) {
    this.name = name;
    this.arena = arena;
    this.model = model;
    // A part of the model: it dies with it, and a call that uses it keeps both from being freed.
    this.vocab = Llama.llama_model_get_vocab(model).reinterpret(1, arena, null);
  }

  /** Reads the vocabulary and nothing else. The file's header must have been checked before. */
  public static LlamaModel vocabularyOf(Path file) {
    return open(file, true, false, 0);
  }

  /**
   * Loads a whole model.
   *
   * @param repack whether libllama may keep rearranged copies of weights
   * @param gpuLayers how many layers go to GPUs
   */
  public static LlamaModel load(Path file, boolean repack, int gpuLayers) {
    return open(file, false, repack, gpuLayers);
  }

  private static LlamaModel open(Path file, boolean vocabOnly, boolean repack, int gpuLayers) {
    var _ = NativeLibraries.load();
    Arena arena = Arena.ofShared();
    NativeLog.clear();
    MemorySegment params = Llama.llama_model_default_params(arena);
    llama_model_params.vocab_only(params, vocabOnly);
    llama_model_params.use_extra_bufts(params, repack);
    llama_model_params.n_gpu_layers(params, gpuLayers);
    MemorySegment model =
        Llama.llama_model_load_from_file(arena.allocateFrom(file.toString()), params);
    if (model.equals(NULL)) {
      arena.close();
      throw new NativeException("libllama cannot load %s: %s".formatted(file, NativeLog.errors()));
    }
    return new LlamaModel(
        file.toString(), arena, model.reinterpret(1, arena, Llama::llama_model_free));
  }

  /**
   * Loads a LoRA for this model, which owns it.
   *
   * @throws NativeException when libllama refuses it
   */
  public LlamaAdapter adapter(Path file) {
    NativeLibraries.loadForLlama();
    NativeLog.clear();
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment adapter =
          Llama.llama_adapter_lora_init(handle(), scratch.allocateFrom(file.toString()));
      if (adapter.equals(NULL)) {
        throw new NativeException(
            "libllama cannot load the adapter %s: %s".formatted(file, NativeLog.errors()));
      }
      return new LlamaAdapter(adapter.reinterpret(1, arena, null));
    }
  }

  /** Whether a text is read by an encoder before a decoder writes, as T5 does it. */
  public boolean readsWithEncoder() {
    return Llama.llama_model_has_encoder(handle()) && Llama.llama_model_has_decoder(handle());
  }

  /** Whether layers carry a state from token to token, which cannot be rewound. */
  public boolean recurrent() {
    return Llama.llama_model_is_recurrent(handle()) || Llama.llama_model_is_hybrid(handle());
  }

  /** E: numbers of a text's vector. */
  public int embeddingLength() {
    return Llama.llama_model_n_embd(handle());
  }

  /** Scores that a classifier gives. */
  public int labels() {
    return Llama.llama_model_n_cls_out(handle());
  }

  public int tokenCount() {
    return Llama.llama_vocab_n_tokens(vocab());
  }

  /**
   * Text to token ids.
   *
   * @param addSpecial whether to add the tokens the model wants at the beginning and end
   * @param parseSpecial whether text like {@code <|im_end|>} becomes the token of that name
   */
  public int[] tokenize(String text, boolean addSpecial, boolean parseSpecial) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment source = scratch.allocate(bytes.length + 1L);
      MemorySegment.copy(bytes, 0, source, ValueLayout.JAVA_BYTE, 0, bytes.length);
      int capacity = bytes.length + 8;
      MemorySegment ids = scratch.allocate(ValueLayout.JAVA_INT, capacity);
      int count =
          Llama.llama_tokenize(
              vocab(), source, bytes.length, ids, capacity, addSpecial, parseSpecial);
      if (count < 0) {
        capacity = required(count, bytes.length);
        ids = scratch.allocate(ValueLayout.JAVA_INT, capacity);
        count =
            Llama.llama_tokenize(
                vocab(), source, bytes.length, ids, capacity, addSpecial, parseSpecial);
      }
      return Arrays.copyOf(ids.toArray(ValueLayout.JAVA_INT), count);
    }
  }

  /** How many ids a text needs, as libllama says it: negative. */
  private int required(int count, int textBytes) {
    // The longest known expansion is that of U+FDFA: 3 bytes become 33.
    if (count < -(TOKENS_PER_BYTE_MAX * (long) textBytes + 64)) {
      throw new NativeException(
          "%s: a text of %d bytes became %s tokens"
              .formatted(name, textBytes, count == Integer.MIN_VALUE ? "too many" : -count));
    }
    return -count;
  }

  /** Everything about single tokens. */
  public TokenTable tokens() {
    if (kind() == Llama.LLAMA_VOCAB_TYPE_NONE()) {
      return TokenTable.EMPTY;
    }
    int count = tokenCount();
    byte[] written = new byte[8 * count];
    int[] starts = new int[count + 1];
    BitSet silent = new BitSet(count);
    BitSet control = new BitSet(count);
    BitSet ending = new BitSet(count);
    MemorySegment open = vocab();
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment piece = scratch.allocate(PIECE_BYTES);
      for (int token = 0; token < count; token++) {
        int length = Llama.llama_token_to_piece(open, token, piece, size(piece), 0, true);
        if (length < 0) {
          piece = scratch.allocate(-(long) length);
          length = Llama.llama_token_to_piece(open, token, piece, size(piece), 0, true);
        }
        int end = Math.addExact(starts[token], length);
        if (end > written.length) {
          written = Arrays.copyOf(written, Math.addExact(end, end / 2));
        }
        MemorySegment.copy(piece, ValueLayout.JAVA_BYTE, 0, written, starts[token], length);
        starts[token + 1] = end;
        int attributes = Llama.llama_vocab_get_attr(open, token);
        if (attributes != Llama.LLAMA_TOKEN_ATTR_NORMAL()) {
          silent.set(token, (attributes & SILENT) != 0);
          control.set(token, (attributes & Llama.LLAMA_TOKEN_ATTR_CONTROL()) != 0);
        }
        if (Llama.llama_vocab_is_eog(open, token)) {
          ending.set(token);
        }
      }
    }
    return new TokenTable(written, starts, silent, control, ending);
  }

  private static int size(MemorySegment buffer) {
    return (int) buffer.byteSize();
  }

  public OptionalInt beginToken() {
    return optional(Llama.llama_vocab_bos(vocab()));
  }

  public OptionalInt endToken() {
    return optional(Llama.llama_vocab_eos(vocab()));
  }

  public boolean addsBegin() {
    return Llama.llama_vocab_get_add_bos(vocab());
  }

  /** Whether the model wants EOS behind a text. */
  public boolean addsEnd() {
    return Llama.llama_vocab_get_add_eos(vocab());
  }

  /** The token between two texts, if the model wants one there. */
  public OptionalInt separator() {
    return Llama.llama_vocab_get_add_sep(vocab())
        ? optional(Llama.llama_vocab_sep(vocab()))
        : OptionalInt.empty();
  }

  /** libllama's number of the tokenizer kind: 1 SPM, 2 BPE, 3 WPM, 4 UGM, 5 RWKV, 6 PLaMo-2. */
  public int kind() {
    return Llama.llama_vocab_type(vocab());
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      try {
        arena.close();
      } catch (IllegalStateException inside) {
        // A thread that failed an assertion is in libllama for ever: its memory is given up.
      }
    }
  }

  MemorySegment handle() {
    requireOpen();
    return model;
  }

  MemorySegment vocab() {
    requireOpen();
    return vocab;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("already closed: " + name);
    }
  }

  private static OptionalInt optional(int token) {
    return token < 0 ? OptionalInt.empty() : OptionalInt.of(token);
  }
}
