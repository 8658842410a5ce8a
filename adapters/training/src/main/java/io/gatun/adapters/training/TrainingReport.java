package io.gatun.adapters.training;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes how training went: one JSON object per step, and in the end a plot of the loss as SVG. */
public final class TrainingReport implements TrainingListener {
  private final Path file;
  private final List<double[]> losses = new ArrayList<>();
  private final List<double[]> evaluations = new ArrayList<>();

  /**
   * @param file of the JSON lines; what it holds of an earlier run stays
   */
  public TrainingReport(Path file) {
    this.file = file;
  }

  @Override
  public void step(Step step) {
    losses.add(new double[] {step.number(), step.loss()});
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("step", step.number());
    line.put("loss", step.loss());
    line.put("gradient_norm", step.gradientNorm());
    line.put("learning_rate", step.learningRate());
    line.put("tokens_per_second", step.tokens() / step.seconds());
    line.put("compute_bytes", step.computeBytes());
    step.routers()
        .ifPresent(routers -> {
          line.put("router_balance", routers.balance());
          line.put("router_z", routers.z());
        });
    append(line);
  }

  @Override
  public void evaluated(long step, double loss) {
    evaluations.add(new double[] {step, loss});
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("step", step);
    line.put("evaluation_loss", loss);
    append(line);
  }

  /** Writes the plot. */
  public void plot(Path svg) throws IOException {
    Files.writeString(svg, LossPlot.of(losses, evaluations));
  }

  private void append(Map<String, Object> line) {
    try {
      Files.writeString(
          file,
          JSON.std.asString(line) + "\n",
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + file + ": " + e.getMessage(), e);
    }
  }
}
