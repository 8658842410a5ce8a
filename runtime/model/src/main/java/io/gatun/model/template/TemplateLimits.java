package io.gatun.model.template;

/**
 * How much one rendering may cost; beyond it a {@link TemplateException} is thrown.
 *
 * @param steps expressions evaluated, statements run, items looked at
 * @param outputChars length of the result
 * @param madeChars length of all strings made on the way; an item of a list counts as eight
 * @param depth how deep statements, expressions, calls and values may lie in each other
 */
public record TemplateLimits(long steps, int outputChars, long madeChars, int depth) {
  /** Enough for conversations of a million tokens. */
  public static final TemplateLimits DEFAULT =
      new TemplateLimits(2_000_000, 1 << 24, 1L << 26, 250);

  public TemplateLimits {
    if (steps < 1 || outputChars < 1 || madeChars < 1 || depth < 1 || depth > 1000) {
      throw new IllegalArgumentException(
          "limits must be positive and the depth at most 1000, but are %d, %d, %d and %d"
              .formatted(steps, outputChars, madeChars, depth));
    }
  }
}
