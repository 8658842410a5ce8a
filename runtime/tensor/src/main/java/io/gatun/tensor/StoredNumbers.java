package io.gatun.tensor;

/** The numbers of stored tensors of any type, by GGML's own conversion. */
public final class StoredNumbers {
  private StoredNumbers() {}

  /**
   * All values in the order of memory.
   *
   * @throws ShapeException for a type that has no numbers, or more values than an array holds
   */
  public static float[] of(StoredTensor tensor) {
    Shape shape = tensor.shape();
    if (shape.elements() > Integer.MAX_VALUE - 8) {
      throw new ShapeException(tensor + " has more values than an array holds");
    }
    int width = (int) shape.d0();
    int rows = (int) shape.rows();
    float[] values = new float[width * rows];
    try (Backend backend = Backend.cpu(1, Kernels.ggml())) {
      GraphBuilder g = new GraphBuilder();
      long d1 = shape.d1();
      Tensor ids = g.indices("rows", DType.I32, d1, d1, shape.d2());
      Tensor copy = g.stored(tensor).getRows(ids);
      g.output(copy);
      try (CompiledGraph compiled = backend.compile(g.build())) {
        compiled.begin();
        int[] all = new int[rows];
        for (int i = 0; i < rows; i++) {
          all[i] = (int) (i % d1);
        }
        compiled.write(ids, all);
        if (!compiled.compute()) {
          throw new NativeException("reading " + tensor + " was stopped");
        }
        float[] row = new float[width];
        for (int i = 0; i < rows; i++) {
          compiled.readRow(copy, i, row);
          System.arraycopy(row, 0, values, i * width, width);
        }
      }
    }
    return values;
  }
}
