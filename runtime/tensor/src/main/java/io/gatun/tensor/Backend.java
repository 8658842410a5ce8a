package io.gatun.tensor;

import static java.lang.foreign.MemorySegment.NULL;

import io.gatun.bindings.AbortTrap;
import io.gatun.bindings.NativeLibraries;
import io.gatun.bindings.NativeLog;
import io.gatun.bindings.ggml.GatunKernels;
import io.gatun.bindings.ggml.Ggml;
import io.gatun.bindings.ggml.GgmlCpu;
import io.gatun.bindings.ggml.ggml_threadpool_params;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Computes graphs: the CPU with a persistent thread pool, and any GPUs in front of it. One memory
 * plan serves all its graphs, so only one of them holds its intermediate values at a time.
 *
 * @owner one thread; only {@link #cancel} may be called from others
 */
public final class Backend implements AutoCloseable {
  private static final VarHandle FLAG = ValueLayout.JAVA_BYTE.varHandle();

  private final Arena arena = Arena.ofShared();
  private final MemorySegment cpu;
  private final MemorySegment threadpool;
  private final List<MemorySegment> backends = new ArrayList<>();
  private final MemorySegment cancelFlag = arena.allocate(8, 8);
  private final int threads;
  private final Kernels kernels;
  private final @Nullable MemorySegment galloc;
  private @Nullable CompiledGraph placed;
  private boolean closed;

  private Backend(int threads, List<Device> gpus, Kernels kernels) {
    this.threads = threads;
    // GGML's scheduler may move nodes to a GPU, which cannot run ours.
    this.kernels = gpus.isEmpty() ? kernels : Kernels.ggml();
    cpu = Ggml.ggml_backend_init_by_type(Ggml.GGML_BACKEND_DEVICE_TYPE_CPU(), NULL);
    if (cpu.equals(NULL)) {
      throw new NativeException("GGML has no CPU backend: " + NativeLog.recent());
    }
    threadpool = newThreadpool(threads);
    GgmlCpu.ggml_backend_cpu_set_n_threads(cpu, threads);
    GgmlCpu.ggml_backend_cpu_set_threadpool(cpu, threadpool);
    GgmlCpu.ggml_backend_cpu_set_abort_callback(cpu, abortFunction(), cancelFlag);
    for (Device gpu : gpus) {
      MemorySegment backend = Ggml.ggml_backend_dev_init(gpu.handle(), NULL);
      if (backend.equals(NULL)) {
        throw new NativeException("cannot start " + gpu + ": " + NativeLog.recent());
      }
      backends.add(backend);
    }
    backends.add(cpu);
    galloc = gpus.isEmpty() ? Ggml.ggml_gallocr_new(Ggml.ggml_backend_cpu_buffer_type()) : null;
  }

  /**
   * Starts a backend on the CPU, and on GPUs in the given order.
   *
   * @param threads CPU threads that compute; more than there are free cores is far slower
   * @param kernels which kernels of our own may be used; only on the CPU alone
   */
  public static Backend open(int threads, List<Device> gpus, Kernels kernels) {
    if (threads < 1 || threads > 512) {
      throw new IllegalArgumentException("threads must be 1..512, got " + threads);
    }
    var _ = NativeLibraries.load();
    return new Backend(threads, gpus, kernels);
  }

  /** Starts a backend on the CPU alone. */
  public static Backend cpu(int threads, Kernels kernels) {
    return open(threads, List.of(), kernels);
  }

  public int threads() {
    return threads;
  }

  /** Makes a graph runnable. It must be closed before this backend. */
  public CompiledGraph compile(Graph graph) {
    requireOpen();
    return new CompiledGraph(this, graph);
  }

  /** Stops the running compute after its current node. Any thread may call this. */
  public void cancel() {
    FLAG.setVolatile(cancelFlag, 0L, (byte) 1);
  }

  /** Forgets an earlier {@link #cancel}. */
  public void clearCancel() {
    FLAG.setVolatile(cancelFlag, 0L, (byte) 0);
  }

  /** Whether all graphs share one memory for intermediate values, so that keeping many is cheap. */
  public boolean sharesMemory() {
    return galloc != null;
  }

  /** Bytes of intermediate values that the last placed graph needed, on all devices. */
  public long computeBytes() {
    CompiledGraph current = placed;
    if (galloc != null) {
      return current == null ? 0 : Ggml.ggml_gallocr_get_buffer_size(galloc, 0);
    }
    return current == null ? 0 : current.scheduledBytes(backends);
  }

  /** Lets the pool's threads sleep; the next compute wakes them. */
  public void pause() {
    GgmlCpu.ggml_threadpool_pause(threadpool);
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    placed = null;
    if (galloc != null) {
      Ggml.ggml_gallocr_free(galloc);
    }
    backends.reversed().forEach(Ggml::ggml_backend_free);
    GgmlCpu.ggml_threadpool_free(threadpool);
    arena.close();
  }

  boolean scheduled() {
    return galloc == null;
  }

  /** Gives a graph the shared memory, taking it from the one that had it. */
  void place(CompiledGraph graph) {
    requireOpen();
    if (placed == graph) {
      return;
    }
    placed = null;
    if (galloc != null) {
      graph.forgetAddresses();
      if (!Ggml.ggml_gallocr_alloc_graph(galloc, graph.ggmlGraph())) {
        throw new CapacityException("no memory for the graph's intermediate values");
      }
    }
    placed = graph;
  }

  /** What {@link #place} would allocate for a graph alone. */
  long measure(CompiledGraph graph) {
    requireOpen();
    if (placed == graph) {
      placed = null;
    }
    if (galloc == null) {
      throw new IllegalStateException("with GPUs only a graph that has run says what it needs");
    }
    graph.forgetAddresses();
    MemorySegment alone = Ggml.ggml_gallocr_new(Ggml.ggml_backend_cpu_buffer_type());
    try {
      if (!Ggml.ggml_gallocr_reserve(alone, graph.ggmlGraph())) {
        throw new CapacityException("no memory for the graph's intermediate values");
      }
      return Ggml.ggml_gallocr_get_buffer_size(alone, 0);
    } finally {
      Ggml.ggml_gallocr_free(alone);
    }
  }

  void forget(CompiledGraph graph) {
    if (placed == graph) {
      placed = null;
    }
  }

  Kernels kernels() {
    return kernels;
  }

  List<MemorySegment> backends() {
    return backends;
  }

  /** Computes a placed graph; false when {@link #cancel} stopped it. */
  boolean compute(MemorySegment ggmlGraph, @Nullable MemorySegment scheduler) {
    AbortTrap.computing(true);
    int status =
        scheduler == null
            ? Ggml.ggml_backend_graph_compute(cpu, ggmlGraph)
            : Ggml.ggml_backend_sched_graph_compute(scheduler, ggmlGraph);
    AbortTrap.computing(false);
    if (status == Ggml.GGML_STATUS_ABORTED()) {
      return false;
    }
    if (status != Ggml.GGML_STATUS_SUCCESS()) {
      throw new NativeException(
          "GGML could not compute the graph: status %d. %s".formatted(status, NativeLog.recent()));
    }
    return true;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("already closed: backend");
    }
  }

  private static MemorySegment newThreadpool(int threads) {
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment params = ggml_threadpool_params.allocate(scratch);
      Ggml.ggml_threadpool_params_init(params, threads);
      MemorySegment pool = GgmlCpu.ggml_threadpool_new(params);
      if (pool.equals(NULL)) {
        throw new NativeException("GGML could not start %d threads".formatted(threads));
      }
      return pool;
    }
  }

  /** The address of a C function, so that polling the flag needs no call into Java. */
  private static MemorySegment abortFunction() {
    return GatunKernels.gatun_abort_requested$address();
  }
}
