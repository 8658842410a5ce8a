package io.gatun.tensor;

import io.gatun.bindings.NativeLibraries;
import io.gatun.bindings.ggml.Ggml;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** A processor that GGML can compute on: the CPU, or a GPU whose backend library is staged. */
public final class Device {
  /** What kind of processor a device is. */
  public enum Kind {
    CPU,
    GPU,
    /** A GPU that shares main memory. */
    INTEGRATED_GPU,
    /** Helps the CPU with some ops. */
    ACCELERATOR
  }

  private final MemorySegment handle;

  private Device(MemorySegment handle) {
    this.handle = handle;
  }

  /** All devices of this machine that the loaded libraries can use, in GGML's order. */
  public static List<Device> all() {
    var _ = NativeLibraries.load();
    List<Device> devices = new ArrayList<>();
    for (long i = 0; i < Ggml.ggml_backend_dev_count(); i++) {
      devices.add(new Device(Ggml.ggml_backend_dev_get(i)));
    }
    return devices;
  }

  /** The CPU. */
  public static Device cpu() {
    return all().stream().filter(d -> d.kind() == Kind.CPU).findFirst().orElseThrow();
  }

  /** The GPUs, dedicated ones before those that share main memory. */
  public static List<Device> gpus() {
    List<Device> all = all();
    List<Device> gpus = new ArrayList<>(all.stream().filter(d -> d.kind() == Kind.GPU).toList());
    gpus.addAll(all.stream().filter(d -> d.kind() == Kind.INTEGRATED_GPU).toList());
    return gpus;
  }

  public String name() {
    return Ggml.ggml_backend_dev_name(handle).getString(0);
  }

  public String description() {
    return Ggml.ggml_backend_dev_description(handle).getString(0);
  }

  public Kind kind() {
    return switch (Ggml.ggml_backend_dev_type(handle)) {
      case 0 -> Kind.CPU;
      case 1 -> Kind.GPU;
      case 2 -> Kind.INTEGRATED_GPU;
      default -> Kind.ACCELERATOR;
    };
  }

  /** Free bytes of a GPU's memory; for the CPU GGML reports the total instead. */
  public long bytesFree() {
    return memory(0);
  }

  public long bytesTotal() {
    return memory(1);
  }

  private long memory(int which) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment both = arena.allocate(ValueLayout.JAVA_LONG, 2);
      Ggml.ggml_backend_dev_memory(handle, both, both.asSlice(8));
      return both.getAtIndex(ValueLayout.JAVA_LONG, which);
    }
  }

  MemorySegment handle() {
    return handle;
  }

  MemorySegment bufferType() {
    return Ggml.ggml_backend_dev_buffer_type(handle);
  }

  @Override
  public String toString() {
    return name() + " (" + description() + ")";
  }
}
