package io.gatun.tensor;

import io.gatun.bindings.NativeLibraries;
import io.gatun.bindings.ggml.Ggml;
import io.gatun.bindings.ggml.ggml_init_params;
import io.gatun.bindings.ggml.ggml_tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Owns the memory of stored tensors: mapped model files, private copies, KV cache. Read-only after
 * {@link Builder#build} and so free to be used by several threads; closing it makes every later use
 * of its tensors throw {@link IllegalStateException}.
 *
 * @owner whoever built it closes it, after all graphs that use it
 */
public final class TensorStore implements AutoCloseable {
  private final String name;
  private final Arena arena;
  private final Map<String, StoredTensor> tensors;
  private final Map<Placement, Long> bytes;
  private final List<MemorySegment> buffers;
  private final List<MemorySegment> contexts;
  private boolean closed;

  private TensorStore(Builder builder) {
    this.name = builder.name;
    this.arena = builder.arena;
    this.tensors = builder.tensors;
    this.bytes = builder.bytes;
    this.buffers = builder.buffers;
    this.contexts = builder.contexts;
  }

  public static Builder builder(String name) {
    return new Builder(name);
  }

  /** Whether GGML can compute in place with a tensor that begins so far into a mapped file. */
  public static boolean mappable(long offset) {
    return offset % 32 == 0;
  }

  /**
   * Whether the CPU backend has a rearranged form for a weight.
   *
   * @param expertsPerToken K, for weights [in, out, X] of experts
   */
  public static boolean repackable(Layout weight, int expertsPerToken) {
    var _ = NativeLibraries.load();
    return Repack.bufferTypeFor(weight, expertsPerToken).isPresent();
  }

  /** Whether a device can multiply with a weight in its own memory. */
  public static boolean computable(Layout weight, int expertsPerToken, Device device) {
    return Repack.multiplies(device, device.bufferType(), weight, expertsPerToken);
  }

  /** A tensor by name. */
  public Optional<StoredTensor> find(String tensorName) {
    return Optional.ofNullable(tensors.get(tensorName));
  }

  public Collection<StoredTensor> tensors() {
    return tensors.values();
  }

  /** Bytes per kind of memory. */
  public Map<Placement, Long> bytes() {
    return Map.copyOf(bytes);
  }

  /** Sets every byte of the store's own memory, not of mapped files, to zero. */
  public synchronized void zero() {
    requireOpen();
    for (StoredTensor tensor : tensors.values()) {
      if (tensor.placement() == Placement.MAPPED) {
        throw new IllegalStateException(name + " holds mapped tensors, which are read-only");
      }
    }
    buffers.forEach(buffer -> Ggml.ggml_backend_buffer_clear(buffer, (byte) 0));
  }

  /**
   * Writes values into a tensor of the store's own memory, converting them to its type. No graph
   * that uses it may be running.
   *
   * @param tensor of this store, F32 or F16
   * @param element where the first one goes, counted from the tensor's beginning
   * @throws ShapeException when they do not fit, or the tensor is mapped or of another type
   */
  public synchronized void write(StoredTensor tensor, long element, float[] values) {
    requireOwn(tensor);
    requireWritable(tensor);
    if (element < 0 || element > tensor.shape().elements() - values.length) {
      throw new ShapeException(
          "%s: %d values at %d do not fit".formatted(tensor, values.length, element));
    }
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment bytes =
          switch (tensor.type()) {
            case F32 -> scratch.allocateFrom(ValueLayout.JAVA_FLOAT, values);
            case F16 -> scratch.allocateFrom(ValueLayout.JAVA_SHORT, halves(values));
            default -> throw new ShapeException(tensor + ": only F32 and F16 can be written");
          };
      long offset = element * tensor.type().blockBytes();
      Ggml.ggml_backend_tensor_set(tensor.handle(), bytes, offset, bytes.byteSize());
    }
  }

  /** Writes one whole row, converted to the tensor's type. */
  public void writeRow(StoredTensor tensor, long row, float[] values) {
    long width = tensor.shape().d0();
    if (values.length != width || row < 0 || row >= tensor.shape().rows()) {
      throw new ShapeException(
          "%s: %d values do not fit as row %d".formatted(tensor, values.length, row));
    }
    if (tensor.type() == DType.F32 || tensor.type() == DType.F16) {
      write(tensor, row * width, values);
      return;
    }
    byte[] bytes = Quantization.quantize(tensor.type(), values, (int) width);
    synchronized (this) {
      requireOwn(tensor);
      requireWritable(tensor);
      try (Arena scratch = Arena.ofConfined()) {
        MemorySegment from = scratch.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
        Ggml.ggml_backend_tensor_set(tensor.handle(), from, row * bytes.length, bytes.length);
      }
    }
  }

  /**
   * All values of an F32 tensor of the store.
   *
   * @throws ShapeException for another type
   */
  public float[] read(StoredTensor tensor) {
    if (tensor.type() != DType.F32) {
      throw new ShapeException(tensor + ": only F32 can be read as numbers");
    }
    float[] values = new float[Math.toIntExact(tensor.shape().elements())];
    ByteBuffer.wrap(readBytes(tensor)).order(ByteOrder.nativeOrder()).asFloatBuffer().get(values);
    return values;
  }

  /** The bytes of a tensor of the store, as GGML keeps them. No graph may be writing them. */
  public byte[] readBytes(StoredTensor tensor) {
    return readRows(tensor, 0, Math.toIntExact(tensor.shape().rows()));
  }

  /** Puts back what {@link #readBytes} gave. */
  public void writeBytes(StoredTensor tensor, byte[] bytes) {
    if (bytes.length != tensor.layout().bytes()) {
      throw new ShapeException(
          "%s has %d bytes, not %d".formatted(tensor, tensor.layout().bytes(), bytes.length));
    }
    writeRows(tensor, 0, bytes);
  }

  /** The bytes of neighbouring rows, as GGML keeps them. No graph may be writing them. */
  public synchronized byte[] readRows(StoredTensor tensor, long row, int count) {
    requireOwn(tensor);
    requireRows(tensor, row, count);
    long rowBytes = tensor.layout().s1();
    byte[] bytes = new byte[Math.toIntExact(count * rowBytes)];
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment copy = scratch.allocate(Math.max(1, bytes.length));
      Ggml.ggml_backend_tensor_get(tensor.handle(), copy, row * rowBytes, bytes.length);
      MemorySegment.copy(copy, ValueLayout.JAVA_BYTE, 0, bytes, 0, bytes.length);
    }
    return bytes;
  }

  /** Puts whole rows of bytes where {@link #readRows} would find them. */
  public synchronized void writeRows(StoredTensor tensor, long row, byte[] bytes) {
    requireOwn(tensor);
    requireWritable(tensor);
    long rowBytes = tensor.layout().s1();
    if (bytes.length % rowBytes != 0) {
      throw new ShapeException("%d bytes are no whole rows of %s".formatted(bytes.length, tensor));
    }
    requireRows(tensor, row, bytes.length / rowBytes);
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment copy = scratch.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
      Ggml.ggml_backend_tensor_set(tensor.handle(), copy, row * rowBytes, bytes.length);
    }
  }

  /** Copies rows to others of the same tensor, one after another. No graph may be using it. */
  public synchronized void copyRows(StoredTensor tensor, int[] from, int[] to) {
    requireOwn(tensor);
    requireWritable(tensor);
    if (from.length != to.length) {
      throw new IllegalArgumentException("%d rows to %d".formatted(from.length, to.length));
    }
    long rowBytes = tensor.layout().s1();
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment row = scratch.allocate(rowBytes);
      for (int i = 0; i < from.length; i++) {
        requireRows(tensor, from[i], 1);
        requireRows(tensor, to[i], 1);
        Ggml.ggml_backend_tensor_get(tensor.handle(), row, from[i] * rowBytes, rowBytes);
        Ggml.ggml_backend_tensor_set(tensor.handle(), row, to[i] * rowBytes, rowBytes);
      }
    }
  }

  private static void requireRows(StoredTensor tensor, long row, long count) {
    if (row < 0 || count < 0 || row > tensor.shape().rows() - count) {
      throw new ShapeException("%s has no rows %d to %d".formatted(tensor, row, row + count));
    }
  }

  private void requireOwn(StoredTensor tensor) {
    requireOpen();
    if (tensors.get(tensor.name()) != tensor) {
      throw new IllegalArgumentException(tensor + " is not of " + name);
    }
  }

  private static void requireWritable(StoredTensor tensor) {
    if (tensor.placement() != Placement.HOST && tensor.placement() != Placement.DEVICE) {
      throw new ShapeException("%s is %s: read-only".formatted(tensor, tensor.placement()));
    }
  }

  private static short[] halves(float[] values) {
    short[] halves = new short[values.length];
    for (int i = 0; i < values.length; i++) {
      halves[i] = Float.floatToFloat16(values[i]);
    }
    return halves;
  }

  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    buffers.forEach(Ggml::ggml_backend_buffer_free);
    contexts.forEach(Ggml::ggml_free);
    arena.close();
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("already closed: " + name);
    }
  }

  /** Collects what a store shall hold. {@link #build} allocates, copies and ends the collection. */
  public static final class Builder implements AutoCloseable {
    private final String name;
    private final Arena arena = Arena.ofShared();
    private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    private final Map<Placement, Long> bytes = new EnumMap<>(Placement.class);
    private final List<MemorySegment> buffers = new ArrayList<>();
    private final List<MemorySegment> contexts = new ArrayList<>();
    private final List<MemorySegment> files = new ArrayList<>();
    private final List<@Nullable MemorySegment> fileBuffers = new ArrayList<>();
    private final Map<MemorySegment, List<Pending>> pending = new LinkedHashMap<>();
    private final Set<String> names = new HashSet<>();
    private boolean built;

    /** A tensor that gets its memory at the end, together with others; zeroed without a source. */
    private record Pending(String name, Layout layout, Placement placement, MemorySegment source) {}

    private Builder(String name) {
      this.name = name;
      var _ = NativeLibraries.load();
    }

    /** Maps a file and returns its number. The file must not shrink while the store is open. */
    public int map(Path file) throws IOException {
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
        files.add(channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena));
        fileBuffers.add(null);
        return files.size() - 1;
      }
    }

    /** A tensor in place in a mapped file. */
    public void mapped(String tensor, Layout layout, int file, long offset) {
      MemorySegment source = slice(tensor, layout, file, offset);
      MemorySegment handle = newTensor(newContext(1), tensor, layout);
      MemorySegment buffer = fileBuffers.get(file);
      if (buffer == null) {
        MemorySegment whole = files.get(file);
        buffer = Ggml.ggml_backend_cpu_buffer_from_ptr(whole, whole.byteSize());
        Ggml.ggml_backend_buffer_set_usage(buffer, Ggml.GGML_BACKEND_BUFFER_USAGE_WEIGHTS());
        buffers.add(buffer);
        fileBuffers.set(file, buffer);
      }
      int status = Ggml.ggml_backend_tensor_alloc(buffer, handle, source);
      if (status != 0) {
        throw new NativeException("cannot place " + tensor + ": status " + status);
      }
      add(tensor, layout, Placement.MAPPED, handle);
    }

    /** A copy in main memory of a tensor in a mapped file. */
    public void copied(String tensor, Layout layout, int file, long offset) {
      MemorySegment source = slice(tensor, layout, file, offset);
      later(Device.cpu().bufferType(), new Pending(tensor, layout, Placement.HOST, source));
    }

    /** A copy in a GPU's memory. */
    public void onDevice(String tensor, Layout layout, int file, long offset, Device device) {
      MemorySegment source = slice(tensor, layout, file, offset);
      later(device.bufferType(), new Pending(tensor, layout, Placement.DEVICE, source));
    }

    /** A rearranged copy in main memory; only for what {@link #repackable} accepts. */
    public void repacked(String tensor, Layout layout, int file, long offset, int expertsPerToken) {
      MemorySegment type =
          Repack.bufferTypeFor(layout, expertsPerToken)
              .orElseThrow(() -> new ShapeException(tensor + " has no rearranged form"));
      MemorySegment source = slice(tensor, layout, file, offset);
      later(type, new Pending(tensor, layout, Placement.REPACKED, source));
    }

    /** A zeroed tensor in a device's memory. */
    public void zeroed(String tensor, Layout layout, Device device) {
      boolean host = device.kind() == Device.Kind.CPU;
      Placement placement = host ? Placement.HOST : Placement.DEVICE;
      later(device.bufferType(), new Pending(tensor, layout, placement, MemorySegment.NULL));
    }

    /** Allocates and copies what was asked for. */
    public TensorStore build() {
      pending.forEach(this::allocate);
      built = true;
      return new TensorStore(this);
    }

    /** Frees everything when {@link #build} was not reached. */
    @Override
    public void close() {
      if (!built) {
        built = true;
        new TensorStore(this).close();
      }
    }

    private void later(MemorySegment bufferType, Pending tensor) {
      pending.computeIfAbsent(bufferType, _ -> new ArrayList<>()).add(tensor);
    }

    /**
     * One buffer for everything of a kind: many small ones would rarely get huge pages, and reading
     * weights would then wait for address translation.
     */
    private void allocate(MemorySegment bufferType, List<Pending> tensorsOfType) {
      MemorySegment memory = newContext(tensorsOfType.size());
      List<MemorySegment> handles = new ArrayList<>();
      for (Pending p : tensorsOfType) {
        handles.add(newTensor(memory, p.name(), p.layout()));
      }
      MemorySegment buffer =
          Ggml.ggml_backend_alloc_ctx_tensors_from_buft(contexts.getLast(), bufferType);
      if (buffer.equals(MemorySegment.NULL)) {
        throw new CapacityException(
            "no memory for %s: %d bytes were refused"
                .formatted(name, tensorsOfType.stream().mapToLong(p -> p.layout().bytes()).sum()));
      }
      buffers.add(buffer);
      boolean weights = tensorsOfType.stream().anyMatch(p -> p.source().byteSize() > 0);
      Ggml.ggml_backend_buffer_set_usage(
          buffer,
          weights
              ? Ggml.GGML_BACKEND_BUFFER_USAGE_WEIGHTS()
              : Ggml.GGML_BACKEND_BUFFER_USAGE_ANY());
      if (!weights) {
        Ggml.ggml_backend_buffer_clear(buffer, (byte) 0);
      }
      for (int i = 0; i < handles.size(); i++) {
        Pending p = tensorsOfType.get(i);
        if (p.source().byteSize() > 0) {
          Ggml.ggml_backend_tensor_set(handles.get(i), p.source(), 0, p.source().byteSize());
        }
        add(p.name(), p.layout(), p.placement(), handles.get(i));
      }
    }

    private MemorySegment slice(String tensor, Layout layout, int file, long offset) {
      MemorySegment whole = files.get(file);
      if (offset < 0 || layout.bytes() > whole.byteSize() - offset) {
        throw new ShapeException(
            "%s: %d bytes at %d end behind the file's %d"
                .formatted(tensor, layout.bytes(), offset, whole.byteSize()));
      }
      return whole.asSlice(offset, layout.bytes());
    }

    /** Memory of a new GGML context, which becomes the last one. */
    private MemorySegment newContext(int tensorCount) {
      long size = Ggml.ggml_tensor_overhead() * tensorCount;
      MemorySegment memory = arena.allocate(size, 16);
      try (Arena scratch = Arena.ofConfined()) {
        MemorySegment params = ggml_init_params.allocate(scratch);
        ggml_init_params.mem_size(params, size);
        ggml_init_params.mem_buffer(params, memory);
        ggml_init_params.no_alloc(params, true);
        contexts.add(Ggml.ggml_init(params));
      }
      return memory;
    }

    private MemorySegment newTensor(MemorySegment memory, String tensor, Layout layout) {
      if (!names.add(tensor)) {
        throw new IllegalArgumentException(tensor + " is stored twice");
      }
      if (!layout.dense()) {
        throw new ShapeException(tensor + ": stored tensors are dense");
      }
      Shape s = layout.shape();
      MemorySegment raw =
          Ggml.ggml_new_tensor_4d(
              contexts.getLast(), layout.type().id(), s.d0(), s.d1(), s.d2(), s.d3());
      // The struct lies in our own memory: a slice of it is checked and dies with the arena.
      MemorySegment handle = memory.asSlice(raw.address() - memory.address(), ggml_tensor.sizeof());
      try (Arena scratch = Arena.ofConfined()) {
        var _ = Ggml.ggml_set_name(handle, scratch.allocateFrom(shortName(tensor)));
      }
      return handle;
    }

    /** GGML keeps 63 bytes of a name; it is only for its own messages. */
    private static String shortName(String tensor) {
      return tensor.length() < 60 ? tensor : tensor.substring(0, 60);
    }

    private void add(String tensor, Layout layout, Placement placement, MemorySegment handle) {
      tensors.put(tensor, new StoredTensor(tensor, layout, placement, handle));
      bytes.merge(placement, layout.bytes(), Long::sum);
    }
  }
}
