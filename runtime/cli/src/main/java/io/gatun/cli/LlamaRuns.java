package io.gatun.cli;

import io.gatun.cli.BenchCommand.Load;
import io.gatun.tensor.llama.LlamaContext;
import io.gatun.tensor.llama.LlamaModel;
import java.util.Arrays;

/** The same runs in libllama: the same rows in the same batches, and the same greedy choice. */
final class LlamaRuns implements BenchRuns {
  private final LlamaContext context;
  private final Load load;
  private final int batchRows;
  private final int vocabulary;
  private int run;

  LlamaRuns(LlamaModel model, Load load, int cells, int batchRows, int threads) {
    this.context = new LlamaContext(model, cells, batchRows, load.sequences(), threads);
    this.load = load;
    this.batchRows = batchRows;
    this.vocabulary = model.tokenCount();
    for (int sequence = 0; sequence < load.sequences(); sequence++) {
      prefill(sequence, 0, load.before(sequence, vocabulary));
    }
    context.pause();
  }

  @Override
  public long promptNanos(int tokens) {
    return timed(() -> {
      for (int sequence = 0; sequence < load.sequences(); sequence++) {
        prefill(sequence, load.depth(), load.measured(sequence, run, tokens, vocabulary));
      }
    });
  }

  @Override
  public long generateNanos(int tokens) {
    return timed(() -> decode(tokens));
  }

  private long timed(Runnable work) {
    run++;
    long start = System.nanoTime();
    work.run();
    long nanos = System.nanoTime() - start;
    // Its threads would spin on for a while, in the way of the next run.
    context.pause();
    for (int sequence = 0; sequence < load.sequences(); sequence++) {
      context.forget(sequence, load.depth());
    }
    return nanos;
  }

  private void prefill(int sequence, int depth, int[] tokens) {
    for (int start = 0; start < tokens.length; start += batchRows) {
      int rows = Math.min(tokens.length - start, batchRows);
      boolean[] wanted = new boolean[rows];
      wanted[rows - 1] = start + rows == tokens.length;
      int[] positions = new int[rows];
      int first = depth + start;
      Arrays.setAll(positions, i -> first + i);
      int[] owner = new int[rows];
      Arrays.fill(owner, sequence);
      context.decode(Arrays.copyOfRange(tokens, start, start + rows), positions, owner, wanted);
    }
  }

  private void decode(int count) {
    int rows = load.sequences();
    int[] tokens = new int[rows];
    int[] positions = new int[rows];
    int[] owners = new int[rows];
    boolean[] wanted = new boolean[rows];
    for (int row = 0; row < rows; row++) {
      tokens[row] = load.measured(row, run, 1, vocabulary)[0];
      owners[row] = row;
      wanted[row] = true;
    }
    for (int step = 0; step < count; step++) {
      Arrays.fill(positions, load.depth() + step);
      context.decode(tokens, positions, owners, wanted);
      for (int row = 0; row < rows; row++) {
        tokens[row] = context.best(row);
      }
    }
  }

  @Override
  public void close() {
    context.close();
  }
}
