package io.gatun.model.adapter;

import static io.gatun.model.adapter.AdapterKeys.A;
import static io.gatun.model.adapter.AdapterKeys.ALPHA;
import static io.gatun.model.adapter.AdapterKeys.ARCHITECTURE;
import static io.gatun.model.adapter.AdapterKeys.B;
import static io.gatun.model.adapter.AdapterKeys.DIRECTION;
import static io.gatun.model.adapter.AdapterKeys.DORA;
import static io.gatun.model.adapter.AdapterKeys.GAIN;
import static io.gatun.model.adapter.AdapterKeys.GENERAL_TYPE;
import static io.gatun.model.adapter.AdapterKeys.HINT;
import static io.gatun.model.adapter.AdapterKeys.INVOCATION;
import static io.gatun.model.adapter.AdapterKeys.LORA;
import static io.gatun.model.adapter.AdapterKeys.PREFIX;
import static io.gatun.model.adapter.AdapterKeys.RESERVED;
import static io.gatun.model.adapter.AdapterKeys.SOFT;
import static io.gatun.model.adapter.AdapterKeys.TYPE;
import static io.gatun.model.adapter.AdapterKeys.VECTOR;

import io.gatun.model.ModelFormatException;
import io.gatun.model.UnsupportedModelException;
import io.gatun.model.gguf.GgufFile;
import io.gatun.model.gguf.GgufMetadata;
import io.gatun.model.gguf.GgufValue;
import io.gatun.model.gguf.TensorInfo;
import io.gatun.model.gguf.TensorReader;
import io.gatun.tensor.CapacityException;
import io.gatun.tensor.DType;
import io.gatun.tensor.Quantization;
import io.gatun.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/** Adapters from GGUF files, which are not trusted: see {@link AdapterFile}. */
final class AdapterReader {
  /** More is no adapter. */
  private static final int LAYERS_MAX = 1 << 16;

  private final String file;
  private final GgufFile gguf;
  private final TensorReader reader;

  AdapterReader(Path file, GgufFile gguf, TensorReader reader) {
    this.file = file.toString();
    this.gguf = gguf;
    this.reader = reader;
  }

  /** The adapter, under a name. */
  Adapter read(String name) throws IOException {
    GgufMetadata metadata = gguf.metadata();
    String architecture =
        metadata.text(ARCHITECTURE).orElseThrow(() -> metadata.missing(ARCHITECTURE));
    if (architecture.equals(VECTOR)) {
      requireDistinct();
      return vector(name);
    }
    String type = metadata.text(TYPE).orElse("");
    if (type.isEmpty()) {
      throw new UnsupportedModelException(
          "%s is a model, not an adapter: it has no key %s".formatted(file, TYPE));
    }
    String general = metadata.text(GENERAL_TYPE).orElse("adapter");
    if (!general.equals("adapter")) {
      throw new ModelFormatException(
          "%s: the key %s is \"%s\", expected \"adapter\"".formatted(file, GENERAL_TYPE, general));
    }
    requireDistinct();
    return switch (type) {
      case LORA, DORA -> lora(name, architecture, type);
      case SOFT -> soft(name, architecture);
      case PREFIX -> prefix(name, architecture);
      default ->
          throw new UnsupportedModelException(
              "%s: adapters of type \"%s\" are not known, only %s, %s, %s and %s"
                  .formatted(file, type, LORA, DORA, SOFT, PREFIX));
    };
  }

  /**
   * Tensors that share bytes could make a small file take all memory; so could much compressed
   * ones.
   */
  private void requireDistinct() throws IOException {
    long stored = 0;
    long floats = 0;
    for (TensorInfo tensor : gguf.tensors()) {
      if (!Quantization.readable(tensor.type())) {
        throw broken(tensor.name(), "%s holds no weights".formatted(tensor.type()));
      }
      stored += tensor.bytes(); // each is at most the file's size, and there are few
      floats += 4 * tensor.shape().elements();
    }
    long size = 0;
    for (Path part : gguf.parts()) {
      size += Files.size(part);
    }
    if (stored > size) {
      throw new ModelFormatException(
          "%s: its tensors have %d bytes, more than the file's %d: some overlap"
              .formatted(file, stored, size));
    }
    long heap = Runtime.getRuntime().maxMemory();
    if (floats > heap) {
      throw new CapacityException(
          "%s needs %d bytes of the Java heap's %d; raise it with -Xmx"
              .formatted(file, floats, heap));
    }
  }

  private LoraAdapter lora(String name, String architecture, String type) throws IOException {
    GgufMetadata metadata = gguf.metadata();
    // llama.cpp takes 0 where the key is missing, and 0 for a scale of 1.
    double alpha = metadata.number(ALPHA).orElse(0.0);
    if (!Float.isFinite((float) alpha)) {
      throw new ModelFormatException("%s: the key %s is %s".formatted(file, ALPHA, alpha));
    }
    Map<String, LowRank> deltas = new TreeMap<>();
    for (TensorInfo a : gguf.tensors()) {
      String tensor = a.name();
      if (tensor.endsWith(B)) {
        var _ = partner(tensor, B, A);
      } else if (tensor.endsWith(A)) {
        String matrix = tensor.substring(0, tensor.length() - A.length());
        if (matrix.equals("token_embd")) {
          throw new UnsupportedModelException(
              "%s: LoRAs of the token embedding (%s) are not supported".formatted(file, tensor));
        }
        Optional<TensorInfo> gain = gguf.tensor(matrix + GAIN);
        deltas.put(matrix, delta(a, partner(tensor, A, B), gain, (float) alpha));
      } else if (tensor.endsWith(GAIN) && type.equals(DORA)) {
        var _ = partner(tensor, GAIN, A);
      } else if (!tensor.endsWith("_norm.weight")) { // llama.cpp ignores them too
        throw broken(tensor, "a LoRA has tensors …%s and …%s only".formatted(A, B));
      }
    }
    if (deltas.isEmpty()) {
      throw new ModelFormatException(file + ": a LoRA without tensors");
    }
    return new LoraAdapter(name, architecture, deltas, texts());
  }

  private Map<String, String> texts() {
    Map<String, String> texts = new LinkedHashMap<>();
    gguf.metadata()
        .values()
        .forEach((key, value) -> {
          if (key.equals(INVOCATION)) {
            long[] tokens = gguf.metadata().integers(key).orElseThrow();
            texts.put(
                key,
                LongStream.of(tokens).mapToObj(Long::toString).collect(Collectors.joining(" ")));
          } else if (value instanceof GgufValue.Text(String text) && !RESERVED.contains(key)) {
            texts.put(key, text);
          }
        });
    return texts;
  }

  private TensorInfo partner(String tensor, String suffix, String wanted) {
    String other = tensor.substring(0, tensor.length() - suffix.length()) + wanted;
    return gguf.tensor(other).orElseThrow(() -> broken(tensor, "there is no " + other));
  }

  private LowRank delta(TensorInfo a, TensorInfo b, Optional<TensorInfo> gain, float alpha)
      throws IOException {
    Shape down = a.shape();
    Shape up = b.shape();
    if (up.d0() != down.d1() || up.d2() != down.d2() || down.d3() != 1 || up.d3() != 1) {
      throw broken(b.name(), "%s does not go with A of %s".formatted(up, down));
    }
    if (gain.isPresent() && (!gain.get().shape().equals(Shape.of(up.d1())) || down.d2() != 1)) {
      throw broken(
          gain.get().name(), "%s does not go with B of %s".formatted(gain.get().shape(), up));
    }
    int rank = Math.toIntExact(down.d1());
    return new LowRank(
        Math.toIntExact(down.d0()),
        Math.toIntExact(up.d1()),
        rank,
        Math.toIntExact(down.d2()),
        numbers(a),
        numbers(b),
        alpha == 0 ? 1 : alpha / rank,
        gain.isPresent() ? numbers(gain.get()) : new float[0]);
  }

  private SoftPrompt soft(String name, String architecture) throws IOException {
    TensorInfo tensor =
        gguf.tensor(SOFT).orElseThrow(() -> broken(SOFT, "a soft prompt needs this tensor"));
    Shape shape = tensor.shape();
    if (gguf.tensors().size() != 1) {
      throw broken(gguf.tensors().getLast().name(), "a soft prompt has one tensor only, " + SOFT);
    }
    if (shape.rows() != shape.d1()) {
      throw broken(SOFT, shape + " is no matrix");
    }
    float[] values = numbers(tensor);
    return new SoftPrompt(name, architecture, (int) shape.d1(), (int) shape.d0(), values);
  }

  private KeyValuePrefix prefix(String name, String architecture) throws IOException {
    int layers = gguf.tensors().size() / 2;
    if (layers == 0) {
      throw new ModelFormatException(file + ": a prefix without keys and values");
    }
    List<float[]> keys = new ArrayList<>();
    List<float[]> values = new ArrayList<>();
    Shape ofKeys = rowsOf("blk.0.prefix_k").shape();
    Shape ofValues = rowsOf("blk.0.prefix_v").shape();
    for (int layer = 0; layer < layers; layer++) {
      TensorInfo k = rowsOf("blk.%d.prefix_k".formatted(layer));
      TensorInfo v = rowsOf("blk.%d.prefix_v".formatted(layer));
      if (!k.shape().equals(ofKeys) || !v.shape().equals(ofValues)) {
        throw broken(k.name(), "its layer differs in shape from layer 0");
      }
      keys.add(numbers(k));
      values.add(numbers(v));
    }
    if (gguf.tensors().size() != 2 * layers || ofKeys.d1() != ofValues.d1()) {
      throw broken("blk.0.prefix_v", "each layer needs as many values as keys, and nothing else");
    }
    return new KeyValuePrefix(
        name,
        architecture,
        (int) ofKeys.d1(),
        (int) ofKeys.d0(),
        (int) ofValues.d0(),
        keys,
        values);
  }

  private TensorInfo rowsOf(String name) {
    TensorInfo tensor =
        gguf.tensor(name).orElseThrow(() -> broken(name, "a prefix needs this tensor"));
    if (tensor.shape().rows() != tensor.shape().d1()) {
      throw broken(name, tensor.shape() + " is no matrix");
    }
    return tensor;
  }

  private ControlVector vector(String name) throws IOException {
    String architecture = gguf.metadata().text(HINT).orElse("");
    Map<Integer, float[]> directions = new TreeMap<>();
    long width = 0;
    for (TensorInfo tensor : gguf.tensors()) {
      int layer = layerOf(tensor.name());
      if (tensor.type() != DType.F32) {
        throw broken(tensor.name(), "directions are F32, not " + tensor.type());
      }
      if (tensor.shape().rows() != 1 || (width != 0 && tensor.shape().d0() != width)) {
        throw broken(tensor.name(), tensor.shape() + " differs from the others");
      }
      width = tensor.shape().d0();
      directions.put(layer, numbers(tensor));
    }
    if (directions.isEmpty()) {
      throw new ModelFormatException(file + ": a control vector without directions");
    }
    return new ControlVector(name, architecture, (int) width, directions);
  }

  /** The number in {@code direction.7}, which counts as {@code blk.7} does. */
  private int layerOf(String tensor) {
    String number = tensor.startsWith(DIRECTION) ? tensor.substring(DIRECTION.length()) : "";
    if (!number.matches("[1-9][0-9]{0,5}|0") || Integer.parseInt(number) > LAYERS_MAX) {
      throw broken(tensor, "a control vector has tensors direction.N only");
    }
    if (number.equals("0")) {
      throw broken(tensor, "control vectors begin with layer 1");
    }
    return Integer.parseInt(number);
  }

  private float[] numbers(TensorInfo tensor) throws IOException {
    float[] values = reader.values(tensor);
    for (float value : values) {
      if (!Float.isFinite(value)) {
        throw broken(tensor.name(), "it holds " + value);
      }
    }
    return values;
  }

  private ModelFormatException broken(String tensor, String what) {
    return new ModelFormatException("%s: %s: %s".formatted(file, tensor, what));
  }
}
