package io.gatun.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a test gave.
 *
 * @param tokens how many were computed in a run
 * @param theirs of the program compared with, if any
 */
record Measurement(String test, int tokens, Series ours, @Nullable Series theirs) {
  /** How much faster we are, by the medians of runs that took turns. */
  double ratio() {
    return theirs == null ? Double.NaN : ours.median() / theirs.median();
  }

  /** Tokens per second of several runs. */
  static final class Series {
    private final List<Double> values = new ArrayList<>();

    void add(double tokensPerSecond, boolean counted) {
      if (counted) {
        values.add(tokensPerSecond);
      }
    }

    double median() {
      List<Double> sorted = values.stream().sorted().toList();
      int middle = sorted.size() / 2;
      return sorted.size() % 2 == 1
          ? sorted.get(middle)
          : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }

    double deviation() {
      double mean = values.stream().mapToDouble(v -> v).average().orElse(0);
      double squares = values.stream().mapToDouble(v -> (v - mean) * (v - mean)).sum();
      return values.size() < 2 ? 0 : Math.sqrt(squares / (values.size() - 1));
    }

    Map<String, Double> asMap() {
      Map<String, Double> map = new LinkedHashMap<>();
      map.put("median", rounded(median()));
      map.put("deviation", rounded(deviation()));
      return map;
    }

    private static double rounded(double value) {
      return Math.round(value * 1000) / 1000.0;
    }

    @Override
    public String toString() {
      return "%.2f ± %.2f".formatted(median(), deviation());
    }
  }
}
