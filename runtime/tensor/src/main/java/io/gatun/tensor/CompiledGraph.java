package io.gatun.tensor;

import static java.lang.foreign.MemorySegment.NULL;

import io.gatun.bindings.ggml.GatunKernels;
import io.gatun.bindings.ggml.Ggml;
import io.gatun.bindings.ggml.ggml_init_params;
import io.gatun.bindings.ggml.ggml_tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A graph with its GGML nodes, ready to run again and again: {@link #begin}, write every input,
 * {@link #compute}, read the outputs.
 *
 * @owner the thread of its {@link Backend}
 */
public final class CompiledGraph implements AutoCloseable {
  private final Backend backend;
  private final Graph graph;

  /** Values of inputs and outputs by {@link Tensor#index()}, once placed. */
  private final Map<Integer, MemorySegment> data = new HashMap<>();

  private Arena arena;
  private MemorySegment ctx = NULL;
  private MemorySegment ggmlGraph = NULL;
  private MemorySegment[] lowered = {};
  private @Nullable MemorySegment scheduler;
  private boolean closed;

  CompiledGraph(Backend backend, Graph graph) {
    this.backend = backend;
    this.graph = graph;
    this.arena = Arena.ofConfined();
    lower();
  }

  public Graph graph() {
    return graph;
  }

  /** Gets the memory for intermediate values; the inputs must be written after this. */
  public void begin() {
    if (closed) {
      throw new IllegalStateException("already closed: compiled graph");
    }
    backend.place(this);
    if (backend.scheduled() && scheduler == null) {
      schedule();
    }
    if (data.isEmpty()) {
      for (Tensor node : graph.nodes()) {
        if (node.op() instanceof Op.Input) {
          data.put(node.index(), dataOf(node));
        }
      }
      for (Tensor output : graph.outputs()) {
        data.put(output.index(), dataOf(output));
      }
    }
  }

  /** Writes an I32 input, all of it, checking every value against the input's bound. */
  public void write(Tensor input, int[] values) {
    MemorySegment target = target(input, DType.I32, values.length);
    long bound = ((Op.Input) input.op()).bound();
    for (int value : values) {
      requireBound(input, value, bound);
    }
    MemorySegment.copy(values, 0, target, ValueLayout.JAVA_INT, 0, values.length);
  }

  /** Writes an I64 input, all of it, checking every value against the input's bound. */
  public void write(Tensor input, long[] values) {
    MemorySegment target = target(input, DType.I64, values.length);
    long bound = ((Op.Input) input.op()).bound();
    for (long value : values) {
      requireBound(input, value, bound);
    }
    MemorySegment.copy(values, 0, target, ValueLayout.JAVA_LONG, 0, values.length);
  }

  /** Writes an F32 input, all of it. */
  public void write(Tensor input, float[] values) {
    MemorySegment target = target(input, DType.F32, values.length);
    MemorySegment.copy(values, 0, target, ValueLayout.JAVA_FLOAT, 0, values.length);
  }

  /** Writes the first {@code count} values of an F16 input, given as raw bits. */
  public void write(Tensor input, short[] values, int count) {
    MemorySegment target = target(input, DType.F16, count);
    MemorySegment.copy(values, 0, target, ValueLayout.JAVA_SHORT, 0, count);
  }

  /**
   * Runs the graph; false when {@link Backend#cancel} stopped it, and the outputs are undefined.
   */
  public boolean compute() {
    if (closed) {
      throw new IllegalStateException("already closed: compiled graph");
    }
    return backend.compute(ggmlGraph, scheduler);
  }

  /** Copies row {@code row} of an F32 output. */
  public void readRow(Tensor output, long row, float[] into) {
    int width = (int) output.shape().d0();
    if (into.length < width) {
      throw new IllegalArgumentException("row %d of %s does not fit".formatted(row, output));
    }
    var _ =
        onRow(
            output,
            row,
            values -> {
              MemorySegment.copy(values, ValueLayout.JAVA_FLOAT, 0, into, 0, width);
              return true;
            });
  }

  /** The place of a row's largest value, the lowest of equal ones; −1 when all are NaN. */
  public int argMax(Tensor output, long row) {
    return onRow(
        output, row, values -> GatunKernels.gatun_argmax(values, (int) output.shape().d0()));
  }

  /** ln Σ exp(value) of a row. */
  public double logSumExp(Tensor output, long row) {
    return onRow(
        output, row, values -> GatunKernels.gatun_log_sum_exp(values, (int) output.shape().d0()));
  }

  /** Runs something on a row of an F32 output where it lies in main memory, or on a copy. */
  private <T> T onRow(Tensor output, long row, Function<MemorySegment, T> work) {
    MemorySegment source = known(output);
    long bytes = 4 * output.shape().d0();
    if (output.type() != DType.F32 || row < 0 || row >= output.shape().rows()) {
      throw new IllegalArgumentException("there is no row %d in %s".formatted(row, output));
    }
    if (!onDevice(output)) {
      return work.apply(source.asSlice(bytes * row, bytes));
    }
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment copy = scratch.allocate(bytes, 16);
      Ggml.ggml_backend_tensor_get(lowered[output.index()], copy, bytes * row, bytes);
      return work.apply(copy);
    }
  }

  /**
   * Bytes of intermediate values that this graph needs on the CPU, exactly; nothing is allocated
   * for good. Inputs have to be written again after this.
   */
  public long computeBytes() {
    if (closed) {
      throw new IllegalStateException("already closed: compiled graph");
    }
    return backend.measure(this);
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    backend.forget(this);
    release();
  }

  MemorySegment ggmlGraph() {
    return ggmlGraph;
  }

  /**
   * Before another placement: the allocator skips tensors that have an address. Those that lowering
   * added to the graph's own nodes count too.
   */
  void forgetAddresses() {
    data.clear();
    for (Tensor node : graph.nodes()) {
      if (!(node.op() instanceof Op.Stored) && !lowered[node.index()].equals(NULL)) {
        forgetAddress(struct(node));
      }
    }
    for (int i = 0; i < Ggml.ggml_graph_n_nodes(ggmlGraph); i++) {
      forgetAddress(
          Ggml.ggml_graph_node(ggmlGraph, i).reinterpret(ggml_tensor.sizeof(), arena, null));
    }
  }

  private static void forgetAddress(MemorySegment tensor) {
    ggml_tensor.data(tensor, NULL);
    ggml_tensor.buffer(tensor, NULL);
  }

  long scheduledBytes(List<MemorySegment> backends) {
    MemorySegment active = scheduler;
    return active == null
        ? 0
        : backends.stream()
            .mapToLong(b -> Ggml.ggml_backend_sched_get_buffer_size(active, b))
            .sum();
  }

  private void lower() {
    long tensors = Lowering.tensorCount(graph);
    long nodes = Math.max(2 * tensors, 256);
    long size =
        tensors * Ggml.ggml_tensor_overhead() + Ggml.ggml_graph_overhead_custom(nodes, false);
    MemorySegment memory = arena.allocate(size, 64);
    MemorySegment params = ggml_init_params.allocate(arena);
    ggml_init_params.mem_size(params, size);
    ggml_init_params.mem_buffer(params, memory);
    ggml_init_params.no_alloc(params, true);
    ctx = Ggml.ggml_init(params);
    ggmlGraph = Ggml.ggml_new_graph_custom(ctx, nodes, false);
    lowered =
        Lowering.lower(
            graph,
            new Lowering.Target(backend.kernels(), backend.threads(), arena, ctx, ggmlGraph));
  }

  /**
   * With GPUs, GGML's scheduler splits the graph and copies between devices. It rewrites the nodes,
   * so a graph keeps the scheduler that placed it.
   */
  private void schedule() {
    List<MemorySegment> all = new ArrayList<>(backend.backends());
    MemorySegment list = arena.allocate(ValueLayout.ADDRESS, all.size());
    for (int i = 0; i < all.size(); i++) {
      list.setAtIndex(ValueLayout.ADDRESS, i, all.get(i));
    }
    long nodes = Math.max(2 * Lowering.tensorCount(graph), 256);
    MemorySegment fresh = Ggml.ggml_backend_sched_new(list, NULL, all.size(), nodes, false, true);
    scheduler = fresh;
    if (!Ggml.ggml_backend_sched_alloc_graph(fresh, ggmlGraph)) {
      throw new CapacityException("no device memory for the graph's intermediate values");
    }
  }

  private void release() {
    if (scheduler != null) {
      Ggml.ggml_backend_sched_free(scheduler);
      scheduler = null;
    }
    if (!ctx.equals(NULL)) {
      Ggml.ggml_free(ctx);
    }
    data.clear();
    arena.close();
  }

  private MemorySegment target(Tensor input, DType type, long count) {
    if (!(input.op() instanceof Op.Input)) {
      throw new IllegalArgumentException(input + " is no input");
    }
    if (input.type() != type || input.shape().elements() != count) {
      throw new IllegalArgumentException(
          "%d values of %s do not fit %s".formatted(count, type, input));
    }
    return known(input);
  }

  private static void requireBound(Tensor input, long value, long bound) {
    if (value < 0 || value >= bound) {
      throw new IllegalArgumentException(
          "input %s: index %d is outside 0..%d".formatted(input.name(), value, bound - 1));
    }
  }

  private MemorySegment known(Tensor tensor) {
    MemorySegment segment = data.get(tensor.index());
    if (segment == null) {
      throw new IllegalStateException(
          tensor + " is neither input nor output of this graph, or begin() was not called");
    }
    return segment;
  }

  private boolean onDevice(Tensor tensor) {
    return backend.scheduled()
        && !Ggml.ggml_backend_buffer_is_host(ggml_tensor.buffer(struct(tensor)));
  }

  private MemorySegment struct(Tensor node) {
    return lowered[node.index()].reinterpret(ggml_tensor.sizeof(), arena, null);
  }

  private MemorySegment dataOf(Tensor node) {
    return ggml_tensor.data(struct(node)).reinterpret(node.layout().bytes(), arena, null);
  }
}
