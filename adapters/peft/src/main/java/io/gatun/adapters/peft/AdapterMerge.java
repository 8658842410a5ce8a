package io.gatun.adapters.peft;

import io.gatun.model.UnsupportedModelException;
import io.gatun.model.adapter.AdapterCheck;
import io.gatun.model.adapter.LoraAdapter;
import io.gatun.model.adapter.LowRank;
import io.gatun.model.gguf.GgufFile;
import io.gatun.model.gguf.GgufValue;
import io.gatun.model.gguf.GgufWriter;
import io.gatun.model.gguf.TensorInfo;
import io.gatun.model.gguf.TensorReader;
import io.gatun.tensor.DType;
import io.gatun.tensor.Quantization;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Folds LoRAs into a model's weights: a new file with W + Σ scale·B·A, in which everything else is
 * copied byte by byte. Holds some rows of one tensor at a time; the file appears under its name
 * when it is complete.
 */
public final class AdapterMerge {
  private static final String NOTE = "general.merged_adapters";

  /** Values that are worked on at once. */
  private static final int CHUNK_VALUES = 1 << 22;

  private final GgufFile model;
  private final List<Weighted> adapters;
  private final @Nullable DType type;
  private final Listener listener;

  /** Hears how far it is. */
  @FunctionalInterface
  public interface Listener {
    /**
     * A tensor was written.
     *
     * @param done bytes of tensors so far, counted as they are in the model
     * @param all bytes of all tensors
     */
    void wrote(String tensor, long done, long all);
  }

  private AdapterMerge(
      GgufFile model, List<Weighted> adapters, @Nullable DType type, Listener listener) {
    this.model = model;
    this.adapters = adapters;
    this.type = type;
    this.listener = listener;
  }

  /**
   * Prepares a merge; changed matrices keep their type.
   *
   * @throws io.gatun.tensor.ShapeException when an adapter does not fit the model
   * @throws IllegalArgumentException when one cannot be merged at all
   */
  public static AdapterMerge of(GgufFile model, List<Weighted> adapters) {
    for (Weighted part : adapters) {
      if (!(part.adapter() instanceof LoraAdapter)) {
        throw new IllegalArgumentException(
            "%s cannot be merged: only LoRAs change weights".formatted(part.adapter()));
      }
      AdapterCheck.require(part.adapter(), model);
    }
    return new AdapterMerge(model, List.copyOf(adapters), null, (_, _, _) -> {});
  }

  /** The type that changed matrices get. */
  public AdapterMerge withType(DType wanted) {
    return new AdapterMerge(model, adapters, wanted, listener);
  }

  public AdapterMerge withListener(Listener hearing) {
    return new AdapterMerge(model, adapters, type, hearing);
  }

  /**
   * Writes the merged model into one file.
   *
   * @throws UnsupportedModelException when a changed matrix has a type that cannot be written, or
   *     the wanted type cannot hold one
   */
  public void write(Path target) throws IOException {
    for (Path part : model.parts()) {
      if (Files.exists(target) && Files.isSameFile(part, target)) {
        throw new IllegalArgumentException(
            target + " is the model itself; give the merged one another name");
      }
    }
    GgufWriter out = new GgufWriter();
    model
        .metadata()
        .values()
        .forEach((key, value) -> {
          // The parts of a split model become one; a file type that is no longer true is worse
          // than none.
          boolean stale =
              key.startsWith("split.") || (type != null && key.equals("general.file_type"));
          if (!stale) {
            out.put(key, value);
          }
        });
    out.put(NOTE, new GgufValue.Texts(note()));
    long all = model.tensors().stream().mapToLong(TensorInfo::bytes).sum();
    long[] done = {0};
    try (TensorReader reader = TensorReader.open(model)) {
      for (TensorInfo tensor : model.tensors()) {
        List<Change> changes = changes(tensor.name());
        DType written = changes.isEmpty() ? tensor.type() : typeOf(tensor);
        out.tensor(
            tensor.name(),
            written,
            tensor.shape(),
            channel -> {
              if (changes.isEmpty()) {
                reader.copy(tensor, channel);
              } else {
                merge(reader, tensor, written, changes, channel);
              }
              done[0] += tensor.bytes();
              listener.wrote(tensor.name(), done[0], all);
            });
      }
      out.write(target);
    }
  }

  /** What the file says of its making: earlier merges, and this one. */
  private List<String> note() {
    List<String> all = new ArrayList<>(model.metadata().texts(NOTE).orElse(List.of()));
    for (Weighted part : adapters) {
      all.add("%s=%s".formatted(part.adapter().name(), part.scale()));
    }
    return all;
  }

  private record Change(LowRank delta, float factor) {}

  private List<Change> changes(String tensor) {
    List<Change> changes = new ArrayList<>();
    if (tensor.endsWith(".weight")) {
      String matrix = tensor.substring(0, tensor.length() - ".weight".length());
      for (Weighted part : adapters) {
        Optional.ofNullable(((LoraAdapter) part.adapter()).deltas().get(matrix))
            .ifPresent(delta -> changes.add(new Change(delta, part.scale())));
      }
    }
    return changes;
  }

  /** What all changes together do to rows of W itself; empty for nothing. */
  private static float[] gains(List<Change> changes, int out) {
    if (changes.stream().noneMatch(change -> change.delta().rescales())) {
      return new float[0];
    }
    float[] sum = new float[out];
    for (Change change : changes) {
      float[] gain = change.delta().gain();
      for (int i = 0; i < gain.length; i++) {
        sum[i] += change.factor() * gain[i];
      }
    }
    return sum;
  }

  private DType typeOf(TensorInfo tensor) {
    DType written = type == null ? tensor.type() : type;
    if (!Quantization.readable(tensor.type())) {
      throw new UnsupportedModelException(
          "%s: %s is %s, which holds no weights"
              .formatted(model.metadata().file(), tensor.name(), tensor.type()));
    }
    if (!Quantization.writable(written)) {
      throw new UnsupportedModelException(
          "%s: %s is %s, which cannot be written without importances; choose another type"
              .formatted(model.metadata().file(), tensor.name(), written));
    }
    if (tensor.shape().d0() % written.blockSize() != 0) {
      throw new UnsupportedModelException(
          "%s: rows of %d of %s are no whole blocks of %s; choose another type"
              .formatted(model.metadata().file(), tensor.shape().d0(), tensor.name(), written));
    }
    return written;
  }

  private static void merge(
      TensorReader reader,
      TensorInfo tensor,
      DType written,
      List<Change> changes,
      WritableByteChannel channel)
      throws IOException {
    int in = Math.toIntExact(tensor.shape().d0());
    int out = Math.toIntExact(tensor.shape().d1());
    int together = Math.clamp(CHUNK_VALUES / in, 1, out);
    for (int expert = 0; expert < tensor.shape().d2(); expert++) {
      for (int first = 0; first < out; first += together) {
        int count = Math.min(together, out - first);
        float[] rows = reader.rows(tensor, (long) expert * out + first, count);
        DenseDelta.rescale(gains(changes, out), rows, first, count);
        for (Change change : changes) {
          DenseDelta.addRows(change.delta(), expert, change.factor(), rows, first, count);
        }
        ByteBuffer bytes = ByteBuffer.wrap(Quantization.quantize(written, rows, in));
        while (bytes.hasRemaining()) {
          var _ = channel.write(bytes);
        }
      }
    }
  }
}
