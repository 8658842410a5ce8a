package io.gatun.tensor;

/**
 * How many CPU threads compute, and why. GGML's threads meet after every op and wait by spinning:
 * one that has no processor to itself makes all of them wait for as long as the system lets another
 * program run, and small models become hundreds of times slower.
 *
 * @param reason for people, in a few words
 */
public record ThreadCount(int threads, String reason) {
  /** More threads than this wait for memory, not for each other. */
  private static final int MAX = 16;

  /** A number that somebody asked for. */
  public static ThreadCount asked(int threads) {
    return new ThreadCount(threads, "as asked");
  }

  /** Begins to look at what other programs use, so that {@link #free} need not wait. */
  public static void watch() {
    ProcessorUse.watch(Processors.ofMachine());
  }

  /** As many as there are cores that nothing else uses now. */
  public static ThreadCount free() {
    Processors processors = Processors.ofMachine();
    return of(processors, ProcessorUse.others(processors));
  }

  /**
   * The decision.
   *
   * @param others processors that other programs use, of the allowed ones
   */
  static ThreadCount of(Processors processors, double others) {
    int allowed = processors.allowed().cardinality();
    int wanted = Math.min(Math.min(processors.quota(), processors.cores()), MAX);
    int free = (int) Math.round(allowed - others);
    if (free < wanted) {
      return new ThreadCount(
          Math.max(1, free), "other programs use %.1f of %d processors".formatted(others, allowed));
    }
    String reason =
        wanted == allowed
            ? "all processors"
            : wanted == processors.cores()
                ? "one per fast core, of %d processors".formatted(allowed)
                : wanted == processors.quota()
                    ? "the limit of this process, of %d processors".formatted(allowed)
                    : "no more help, of %d processors".formatted(allowed);
    return new ThreadCount(Math.max(1, wanted), reason);
  }
}
