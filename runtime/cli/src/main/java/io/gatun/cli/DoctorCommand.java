package io.gatun.cli;

import io.gatun.bindings.NativeLibraries;
import io.gatun.model.Architectures;
import io.gatun.model.MemoryPlan;
import io.gatun.tensor.Backend;
import io.gatun.tensor.CompiledGraph;
import io.gatun.tensor.DType;
import io.gatun.tensor.Device;
import io.gatun.tensor.GraphBuilder;
import io.gatun.tensor.Kernels;
import io.gatun.tensor.Tensor;
import io.gatun.tensor.ThreadCount;
import java.nio.file.Path;
import picocli.CommandLine.Command;

/** {@code gatun doctor}: checks that everything Gatun needs is there and works. */
@Command(
    name = "doctor",
    description = "Checks the machine, the native libraries and a first computation.",
    mixinStandardHelpOptions = true)
public final class DoctorCommand implements CliCommand {
  @Override
  public Integer call() {
    line("java", "%s (%s)".formatted(Runtime.version(), System.getProperty("java.vm.name")));
    line(
        "system", "%s, %s".formatted(System.getProperty("os.name"), System.getProperty("os.arch")));
    line(
        "memory",
        "%s available of %s"
            .formatted(
                MemoryPlan.show(MemoryPlan.availableBytes()),
                MemoryPlan.show(MemoryPlan.totalBytes())));
    Path folder = NativeLibraries.load();
    line("natives", folder + " (checked)");
    line("cpu library", NativeLibraries.cpuLibrary());
    for (Device device : Device.all()) {
      line("device", "%s, %s".formatted(device, device.kind()));
    }
    ThreadCount threads = ThreadCount.free();
    line("threads", "%d now: %s".formatted(threads.threads(), threads.reason()));
    line("models", String.join(", ", Architectures.names()));
    line("computes", computes() ? "yes" : "NO: 2 · 3 is not 6 here");
    return computes() ? 0 : 1;
  }

  /** A matrix product on the CPU, through everything that a model goes through. */
  private static boolean computes() {
    GraphBuilder graph = new GraphBuilder();
    Tensor w = graph.input("w", DType.F32, 32, 1);
    Tensor x = graph.input("x", DType.F32, 32, 1);
    Tensor y = w.matMul(x);
    graph.output(y);
    try (Backend backend = Backend.cpu(1, Kernels.own());
        CompiledGraph compiled = backend.compile(graph.build())) {
      float[] two = new float[32];
      float[] three = new float[32];
      two[5] = 2;
      three[5] = 3;
      compiled.begin();
      compiled.write(w, two);
      compiled.write(x, three);
      float[] product = new float[1];
      boolean done = compiled.compute();
      compiled.readRow(y, 0, product);
      return done && product[0] == 6;
    }
  }

  private static void line(String what, String value) {
    Console.println("%-12s %s".formatted(what, value));
  }
}
