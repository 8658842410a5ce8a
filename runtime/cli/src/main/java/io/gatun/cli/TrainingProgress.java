package io.gatun.cli;

import io.gatun.adapters.training.TrainingListener;
import io.gatun.adapters.training.TrainingReport;
import io.gatun.model.MemoryPlan;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/** Shows steps on standard error. */
final class TrainingProgress implements TrainingListener {
  private final AtomicBoolean interrupted;
  private final Optional<TrainingReport> report;
  private final Progress progress;
  private String evaluated = "";

  TrainingProgress(long steps, AtomicBoolean interrupted, Optional<TrainingReport> report) {
    this.interrupted = interrupted;
    this.report = report;
    this.progress = new Progress("training", steps);
  }

  @Override
  public void step(Step step) {
    report.ifPresent(r -> r.step(step));
    progress.at(
        step.number(),
        String.format(
            Locale.ROOT,
            "step %d loss %.4f%s, %.0f tokens/s, %s",
            step.number(),
            step.loss(),
            evaluated,
            step.tokens() / step.seconds(),
            MemoryPlan.show(step.computeBytes())));
    if (step.number() == step.steps()) {
      progress.end();
    }
  }

  @Override
  public void evaluated(long step, double loss) {
    report.ifPresent(r -> r.evaluated(step, loss));
    evaluated = String.format(Locale.ROOT, " (evaluation %.4f)", loss);
  }

  @Override
  public boolean stop() {
    return interrupted.get();
  }
}
