package io.gatun.model.template;

/** What one rendering has spent of its {@link TemplateLimits}. */
final class Budget {
  private final TemplateLimits limits;
  private long steps;
  private long made;
  private int depth;

  Budget(TemplateLimits limits) {
    this.limits = limits;
  }

  void step() {
    steps(1);
  }

  void steps(long count) {
    steps += count;
    if (steps > limits.steps()) {
      throw new Fault("it takes more than %d steps".formatted(limits.steps()));
    }
  }

  /** To be called before a string of this length is made. */
  void chars(long count) {
    made += count;
    if (made > limits.madeChars()) {
      throw new Fault("it makes more than %d characters".formatted(limits.madeChars()));
    }
  }

  /** To be called before a list of this size is made. */
  void items(long count) {
    chars(8 * count);
    steps(count);
  }

  void enter() {
    if (++depth > limits.depth()) {
      throw new Fault("it is more than %d levels deep".formatted(limits.depth()));
    }
  }

  void leave() {
    depth--;
  }

  /** Appends to what becomes the result, or a part of it. */
  void append(StringBuilder out, String text) {
    if ((long) out.length() + text.length() > limits.outputChars()) {
      throw new Fault("it writes more than %d characters".formatted(limits.outputChars()));
    }
    out.append(text);
  }
}
