package io.gatun.tests.benchmarks;

import java.util.ArrayList;
import java.util.List;

/** Numbers that were measured. */
final class Series {
  private final List<Double> values = new ArrayList<>();

  void add(double value) {
    values.add(value);
  }

  double median() {
    return quantile(0.5);
  }

  /** The value below which a share of them lies; the nearest one. */
  double quantile(double share) {
    List<Double> sorted = values.stream().sorted().toList();
    return sorted.get((int) Math.round(share * (sorted.size() - 1)));
  }

  double deviation() {
    double mean = values.stream().mapToDouble(v -> v).average().orElse(0);
    double squares = values.stream().mapToDouble(v -> (v - mean) * (v - mean)).sum();
    return values.size() < 2 ? 0 : Math.sqrt(squares / (values.size() - 1));
  }

  /** Median, least and most. */
  String spread() {
    return "%.1f (%.1f to %.1f)".formatted(median(), quantile(0), quantile(1));
  }

  @Override
  public String toString() {
    return "%.2f ± %.2f".formatted(median(), deviation());
  }
}
