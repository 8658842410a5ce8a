package io.gatun.tensor;

import java.util.Map;

/** Stored tensors in main memory that tests fill and read by graphs. */
final class StoredValues implements AutoCloseable {
  private final Backend backend;
  private final TensorStore store;

  StoredValues(Backend backend, Map<String, Layout> layouts) {
    this.backend = backend;
    try (TensorStore.Builder builder = TensorStore.builder("test")) {
      layouts.forEach((name, layout) -> builder.zeroed(name, layout, Device.cpu()));
      store = builder.build();
    }
  }

  StoredTensor get(String name) {
    return store.find(name).orElseThrow();
  }

  void fill(String name, float[] values) {
    GraphBuilder graph = new GraphBuilder();
    Shape s = get(name).shape();
    Tensor input = graph.input("values", DType.F32, s.d0(), s.d1(), s.d2(), s.d3());
    graph.output(graph.stored(get(name)).blend(0f, 1f, input));
    try (CompiledGraph compiled = backend.compile(graph.build())) {
      compiled.begin();
      compiled.write(input, values);
      if (!compiled.compute()) {
        throw new AssertionError();
      }
    }
  }

  float[] read(String name) {
    GraphBuilder graph = new GraphBuilder();
    Tensor copy = graph.stored(get(name)).dense(get(name).shape().elements());
    graph.output(copy);
    try (CompiledGraph compiled = backend.compile(graph.build())) {
      compiled.begin();
      if (!compiled.compute()) {
        throw new AssertionError();
      }
      float[] values = new float[(int) copy.shape().d0()];
      compiled.readRow(copy, 0, values);
      return values;
    }
  }

  @Override
  public void close() {
    store.close();
  }
}
