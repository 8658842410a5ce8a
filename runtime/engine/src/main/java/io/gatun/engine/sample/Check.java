package io.gatun.engine.sample;

/** Refuses parameters that make no sense. */
final class Check {
  private Check() {}

  static void within(String name, float value, float low, float high) {
    if (!(value >= low && value <= high)) {
      throw new IllegalArgumentException(
          "%s must be %s to %s, got %s".formatted(name, low, high, value));
    }
  }

  static void atLeast(String name, float value, float low) {
    if (!(value >= low) || Float.isInfinite(value)) {
      throw new IllegalArgumentException(
          "%s must be at least %s, got %s".formatted(name, low, value));
    }
  }
}
