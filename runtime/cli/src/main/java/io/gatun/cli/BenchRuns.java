package io.gatun.cli;

import io.gatun.cli.BenchCommand.Load;

/** Runs of a test by one program, at one depth and one number of sequences. */
interface BenchRuns extends AutoCloseable {
  /** Nanoseconds of computing a prompt of so many tokens for each sequence. */
  long promptNanos(int tokens);

  /** Nanoseconds of generating so many tokens in each sequence, greedily, in common steps. */
  long generateNanos(int tokens);

  @Override
  void close();

  /** Tokens per second of a test, over all sequences. */
  default double speed(Load load, BenchCommand.Test test) {
    long nanos =
        switch (test.kind()) {
          case PROMPT -> promptNanos(test.tokens());
          case GENERATE -> generateNanos(test.tokens());
        };
    return (double) load.sequences() * test.tokens() * 1e9 / Math.max(1, nanos);
  }
}
