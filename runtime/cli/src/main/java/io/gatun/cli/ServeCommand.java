package io.gatun.cli;

import io.gatun.server.Server;
import io.gatun.server.models.ModelSource;
import io.gatun.server.models.ServedModels;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code gatun serve}: answers requests over HTTP. */
@Command(
    name = "serve",
    description = {
      "Answers requests over HTTP, in OpenAI's interface, until it is stopped.",
      "Without a model, the small one that comes with Gatun tells stories."
    },
    mixinStandardHelpOptions = true)
public final class ServeCommand implements CliCommand {
  @Mixin ServedOptions models = new ServedOptions();
  @Mixin ServerLimits limits = new ServerLimits();

  @Override
  public Integer call() throws IOException, InterruptedException {
    List<ModelSource> sources = models.sources();
    try (ServedModels served = new ServedModels(sources, models.memory())) {
      // What is wrong with the first model shall show now, and its first request not wait.
      served.use(Optional.of(sources.getFirst().name()), sources.getFirst().kind()).close();
      CountDownLatch closed = new CountDownLatch(1);
      Thread hook = stopping(Thread.currentThread(), closed);
      try (Server server = Server.start(served, limits.options())) {
        Console.println("listening at http://%s:%d".formatted(shown(limits.host), server.port()));
        if (limits.exposed()) {
          Console.note("everyone who reaches this address may use it; --api-key-file closes it");
        }
        new CountDownLatch(1).await();
      } catch (InterruptedException stopped) {
        // By the hook below, or by who runs this command in a thread: it ends in order.
      } finally {
        closed.countDown();
        forget(hook);
      }
    }
    return 0;
  }

  /** When the process is told to end, running answers may do so first. */
  private static Thread stopping(Thread serving, CountDownLatch closed) {
    Thread hook =
        new Thread(
            () -> {
              serving.interrupt();
              try {
                closed.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            "gatun-stop");
    Runtime.getRuntime().addShutdownHook(hook);
    return hook;
  }

  private static void forget(Thread hook) {
    try {
      var _ = Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException ending) {
      // It is the one that ended this.
    }
  }

  private static String shown(String host) {
    return host.contains(":") ? "[" + host + "]" : host;
  }
}
