package io.gatun.tensor.llama;

import static java.lang.foreign.MemorySegment.NULL;

import io.gatun.bindings.ggml.Llama;
import io.gatun.bindings.ggml.llama_token_data;
import io.gatun.bindings.ggml.llama_token_data_array;
import io.gatun.tensor.NativeException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * libllama's grammar sampler: what Gatun's grammars are compared with.
 *
 * @owner one thread; the model must stay open
 */
public final class LlamaGrammar implements AutoCloseable {
  private final Arena arena = Arena.ofConfined();
  private final MemorySegment sampler;
  private final MemorySegment candidates;
  private final MemorySegment array;
  private final int tokens;
  private boolean closed;

  /**
   * @param grammar in GBNF, with a rule {@code root}
   */
  public LlamaGrammar(LlamaModel model, String grammar) {
    this.tokens = model.tokenCount();
    MemorySegment made =
        Llama.llama_sampler_init_grammar(
            model.vocab(), arena.allocateFrom(grammar), arena.allocateFrom("root"));
    if (made.equals(NULL)) {
      arena.close();
      throw new NativeException("libllama refuses the grammar");
    }
    this.sampler = made;
    this.candidates = llama_token_data.allocateArray(tokens, arena);
    this.array = llama_token_data_array.allocate(arena);
  }

  /** Makes every token a candidate with a logit of zero. */
  public void fill() {
    for (int token = 0; token < tokens; token++) {
      MemorySegment candidate = llama_token_data.asSlice(candidates, token);
      llama_token_data.id(candidate, token);
      llama_token_data.logit(candidate, 0);
      llama_token_data.p(candidate, 0);
    }
    llama_token_data_array.data(array, candidates);
    llama_token_data_array.size(array, tokens);
    llama_token_data_array.selected(array, -1);
    llama_token_data_array.sorted(array, false);
  }

  /** Forbids what the grammar does not allow. */
  public void apply() {
    Llama.llama_sampler_apply(sampler, array);
  }

  /** Whether the last {@link #apply} left a token. */
  public boolean allows(int token) {
    return llama_token_data.logit(llama_token_data.asSlice(candidates, token))
        != Float.NEGATIVE_INFINITY;
  }

  /** Goes on behind a token, which must be allowed. */
  public void accept(int token) {
    Llama.llama_sampler_accept(sampler, token);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      Llama.llama_sampler_free(sampler);
      arena.close();
    }
  }
}
