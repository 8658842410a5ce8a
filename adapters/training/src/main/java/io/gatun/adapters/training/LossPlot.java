package io.gatun.adapters.training;

import java.util.List;
import java.util.Locale;

/** A plot of losses by step, as SVG. */
final class LossPlot {
  private static final int WIDTH = 720;
  private static final int HEIGHT = 400;
  private static final int MARGIN = 48;

  private LossPlot() {}

  /** Points are step and loss. */
  static String of(List<double[]> losses, List<double[]> evaluations) {
    double steps = 1;
    double low = Double.POSITIVE_INFINITY;
    double high = Double.NEGATIVE_INFINITY;
    for (List<double[]> points : List.of(losses, evaluations)) {
      for (double[] p : points) {
        steps = Math.max(steps, p[0]);
        if (Double.isFinite(p[1])) {
          low = Math.min(low, p[1]);
          high = Math.max(high, p[1]);
        }
      }
    }
    if (!(high > low)) {
      low = Double.isFinite(low) ? low - 0.5 : 0;
      high = low + 1;
    }
    StringBuilder svg = new StringBuilder();
    svg.append(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\">%n"
            .formatted(WIDTH, HEIGHT));
    svg.append("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
    for (int i = 0; i <= 4; i++) {
      double value = low + (high - low) * i / 4;
      double y = y(value, low, high);
      svg.append(
          String.format(
              Locale.ROOT,
              "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/><text x=\"4\" y=\"%.1f\">%.3f</text>\n",
              MARGIN,
              WIDTH - MARGIN,
              y,
              y,
              y + 4,
              value));
    }
    svg.append(
        String.format(
            Locale.ROOT,
            "<text x=\"%d\" y=\"%d\">1</text><text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.0f steps</text>\n",
            MARGIN,
            HEIGHT - 16,
            WIDTH - MARGIN,
            HEIGHT - 16,
            steps));
    line(svg, losses, steps, low, high, "#36c", "loss", 20);
    line(svg, evaluations, steps, low, high, "#c63", "evaluation", 36);
    return svg.append("</svg>\n").toString();
  }

  private static void line(
      StringBuilder svg,
      List<double[]> points,
      double steps,
      double low,
      double high,
      String colour,
      String name,
      int at) {
    if (points.isEmpty()) {
      return;
    }
    svg.append("<polyline fill=\"none\" stroke=\"").append(colour).append("\" points=\"");
    for (double[] p : points) {
      if (Double.isFinite(p[1])) {
        double x = MARGIN + (WIDTH - 2.0 * MARGIN) * p[0] / steps;
        svg.append(String.format(Locale.ROOT, "%.1f,%.1f ", x, y(p[1], low, high)));
      }
    }
    svg.append("\"/>\n");
    svg.append(
        String.format(
            Locale.ROOT,
            "<text x=\"%d\" y=\"%d\" fill=\"%s\" text-anchor=\"end\">%s</text>\n",
            WIDTH - MARGIN,
            at,
            colour,
            name));
  }

  private static double y(double value, double low, double high) {
    return HEIGHT - MARGIN - (HEIGHT - 2.0 * MARGIN) * (value - low) / (high - low);
  }
}
