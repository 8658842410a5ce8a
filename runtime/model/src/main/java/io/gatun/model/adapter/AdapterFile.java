package io.gatun.model.adapter;

import io.gatun.model.ModelFormatException;
import io.gatun.model.UnsupportedModelException;
import io.gatun.model.gguf.GgufFile;
import io.gatun.model.gguf.GgufMetadata;
import io.gatun.model.gguf.GgufWriter;
import io.gatun.model.gguf.TensorInfo;
import io.gatun.tensor.DType;
import io.gatun.tensor.Quantization;
import io.gatun.tensor.Shape;
import io.gatun.tensor.StoredNumbers;
import io.gatun.tensor.TensorStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * Adapters as GGUF files: LoRAs and control vectors in the formats of llama.cpp, soft prompts in
 * one of our own (docs/adapters.md). Files are not trusted; whatever is wrong with one is an
 * exception that names the key or tensor.
 *
 * @source llama.cpp v0.4.0, src/llama-adapter.cpp and common/common.cpp
 */
public final class AdapterFile {
  private static final String TYPE = "adapter.type";
  private static final String ALPHA = "adapter.lora.alpha";
  private static final String DIRECTION = "direction.";
  private static final String SOFT = "soft_prompt";

  /** More would not be an adapter, and not fit into an array. */
  private static final long ELEMENTS_MAX = 1L << 30;

  private AdapterFile() {}

  /**
   * Reads an adapter.
   *
   * @throws ModelFormatException when the file is broken
   * @throws UnsupportedModelException when it is no adapter, or one of a kind that Gatun does not
   *     know
   */
  public static Adapter read(Path file) throws IOException {
    GgufFile gguf = GgufFile.open(file);
    GgufMetadata metadata = gguf.metadata();
    String architecture =
        metadata
            .text("general.architecture")
            .orElseThrow(() -> metadata.missing("general.architecture"));
    String type = metadata.text(TYPE).orElse("");
    String name = nameOf(file);
    try (Numbers numbers = new Numbers(gguf, file)) {
      if (architecture.equals("controlvector")) {
        return vector(gguf, name, numbers);
      }
      return switch (type) {
        case "lora" -> lora(gguf, name, architecture, numbers);
        case SOFT -> soft(gguf, name, architecture, numbers);
        default ->
            throw new UnsupportedModelException(
                type.isEmpty()
                    ? "%s is a model, not an adapter: it has no key %s".formatted(file, TYPE)
                    : "%s: adapters of type \"%s\" are not known, only lora and %s"
                        .formatted(file, type, SOFT));
      };
    }
  }

  /**
   * Writes an adapter beside its place first, then moves it there.
   *
   * @param type F32, or F16 for half the size and about three digits
   */
  public static void write(Adapter adapter, DType type, Path file) throws IOException {
    if (type != DType.F32 && type != DType.F16) {
      throw new IllegalArgumentException("adapters are written as F32 or F16, not " + type);
    }
    GgufWriter out = new GgufWriter();
    switch (adapter) {
      case LoraAdapter lora -> write(lora, type, out);
      case SoftPrompt soft -> {
        out.put("general.type", "adapter")
            .put("general.architecture", soft.architecture())
            .put(TYPE, SOFT);
        tensor(out, SOFT, type, Shape.of(soft.width(), soft.rows()), soft.values());
      }
      case ControlVector vector -> {
        out.put("general.architecture", "controlvector")
            .put("controlvector.model_hint", vector.architecture())
            .put("controlvector.layer_count", vector.directions().size());
        vector
            .directions()
            .forEach((layer, direction) ->
                tensor(out, DIRECTION + layer, DType.F32, Shape.of(vector.width()), direction));
      }
    }
    out.write(file);
  }

  private static void write(LoraAdapter lora, DType type, GgufWriter out) {
    out.put("general.type", "adapter")
        .put("general.architecture", lora.architecture())
        .put(TYPE, "lora");
    // One α for the file: each matrix' own scale goes into its B where it differs from α/r.
    LowRank first = lora.deltas().values().iterator().next();
    float alpha = first.scale() * first.rank();
    out.put(ALPHA, alpha == 0 ? 1f : alpha);
    lora.metadata().forEach(out::put);
    lora.deltas()
        .forEach((matrix, d) -> {
          float written = (alpha == 0 ? 1f : alpha) / d.rank();
          float[] b = d.scale() == written ? d.b() : times(d.b(), d.scale() / written);
          Shape a =
              d.experts() == 1
                  ? Shape.of(d.in(), d.rank())
                  : Shape.of(d.in(), d.rank(), d.experts());
          Shape up =
              d.experts() == 1
                  ? Shape.of(d.rank(), d.out())
                  : Shape.of(d.rank(), d.out(), d.experts());
          tensor(out, matrix + ".weight.lora_a", type, a, d.a());
          tensor(out, matrix + ".weight.lora_b", type, up, b);
        });
  }

  private static void tensor(GgufWriter out, String name, DType type, Shape s, float[] values) {
    out.tensor(name, type, s, Quantization.quantize(type, values, (int) s.d0()));
  }

  private static LoraAdapter lora(
      GgufFile gguf, String name, String architecture, Numbers numbers) {
    GgufMetadata metadata = gguf.metadata();
    float alpha =
        (float) (double) metadata.number(ALPHA).orElseThrow(() -> metadata.missing(ALPHA));
    Map<String, LowRank> deltas = new TreeMap<>();
    for (TensorInfo a : gguf.tensors()) {
      String tensor = a.name();
      if (tensor.endsWith(".weight.lora_b")) {
        String other = tensor.substring(0, tensor.length() - 1) + "a";
        var _ =
            gguf.tensor(other).orElseThrow(() -> broken(metadata, tensor, "there is no " + other));
        continue;
      }
      if (!tensor.endsWith(".weight.lora_a")) {
        throw broken(metadata, tensor, "a LoRA has tensors …weight.lora_a and …weight.lora_b only");
      }
      String matrix = tensor.substring(0, tensor.length() - ".weight.lora_a".length());
      if (matrix.equals("token_embd")) {
        throw new UnsupportedModelException(
            "%s: LoRAs of the token embedding (%s) are not supported"
                .formatted(metadata.file(), tensor));
      }
      String other = matrix + ".weight.lora_b";
      TensorInfo b =
          gguf.tensor(other).orElseThrow(() -> broken(metadata, tensor, "there is no " + other));
      deltas.put(matrix, delta(metadata, a, b, alpha, numbers));
    }
    if (deltas.isEmpty()) {
      throw new ModelFormatException(metadata.file() + ": a LoRA without tensors");
    }
    Map<String, String> texts = new TreeMap<>();
    for (String key : metadata.values().keySet()) {
      if (key.startsWith("adapter.lora.") && !key.equals(ALPHA)) {
        metadata.text(key).ifPresent(text -> texts.put(key, text));
      }
    }
    return new LoraAdapter(name, architecture, deltas, texts);
  }

  private static LowRank delta(
      GgufMetadata metadata, TensorInfo a, TensorInfo b, float alpha, Numbers numbers) {
    Shape down = a.shape();
    Shape up = b.shape();
    if (up.d0() != down.d1() || up.d2() != down.d2() || down.d3() != 1 || up.d3() != 1) {
      throw broken(metadata, b.name(), "%s does not go with A of %s".formatted(up, down));
    }
    float rank = down.d1();
    float scale = alpha == 0 ? 1 : alpha / rank;
    return new LowRank(
        (int) down.d0(),
        (int) up.d1(),
        (int) down.d1(),
        (int) down.d2(),
        numbers.of(metadata, a),
        numbers.of(metadata, b),
        scale);
  }

  private static SoftPrompt soft(GgufFile gguf, String name, String architecture, Numbers numbers) {
    TensorInfo tensor =
        gguf.tensor(SOFT)
            .orElseThrow(() -> broken(gguf.metadata(), SOFT, "a soft prompt needs this tensor"));
    Shape shape = tensor.shape();
    if (shape.rows() != shape.d1()) {
      throw broken(gguf.metadata(), SOFT, shape + " is no matrix");
    }
    return new SoftPrompt(
        name,
        architecture,
        (int) shape.d1(),
        (int) shape.d0(),
        numbers.of(gguf.metadata(), tensor));
  }

  private static ControlVector vector(GgufFile gguf, String name, Numbers numbers) {
    GgufMetadata metadata = gguf.metadata();
    String architecture = metadata.text("controlvector.model_hint").orElse("");
    Map<Integer, float[]> directions = new TreeMap<>();
    int width = 0;
    for (TensorInfo tensor : gguf.tensors()) {
      String number = tensor.name().startsWith(DIRECTION) ? tensor.name().substring(10) : "";
      if (number.isEmpty() || number.length() > 6 || !number.chars().allMatch(Character::isDigit)) {
        throw broken(metadata, tensor.name(), "a control vector has tensors direction.N only");
      }
      if (tensor.shape().rows() != 1 || (width != 0 && tensor.shape().d0() != width)) {
        throw broken(metadata, tensor.name(), tensor.shape() + " differs from the others");
      }
      width = (int) tensor.shape().d0();
      directions.put(Integer.parseInt(number), numbers.of(metadata, tensor));
    }
    if (directions.isEmpty()) {
      throw new ModelFormatException(metadata.file() + ": a control vector without directions");
    }
    return new ControlVector(name, architecture, width, directions);
  }

  private static ModelFormatException broken(GgufMetadata metadata, String tensor, String what) {
    return new ModelFormatException("%s: %s: %s".formatted(metadata.file(), tensor, what));
  }

  private static float[] times(float[] values, float factor) {
    float[] product = values.clone();
    for (int i = 0; i < product.length; i++) {
      product[i] *= factor;
    }
    return product;
  }

  /** {@code legal.lora.gguf} is called legal.lora. */
  private static String nameOf(Path file) {
    String name = String.valueOf(file.getFileName());
    return name.endsWith(".gguf") ? name.substring(0, name.length() - 5) : name;
  }

  /** Reads numbers of a mapped file. */
  private static final class Numbers implements AutoCloseable {
    private final TensorStore store;

    Numbers(GgufFile gguf, Path file) throws IOException {
      try (TensorStore.Builder builder = TensorStore.builder(file.toString())) {
        for (Path part : gguf.parts()) {
          var _ = builder.map(part);
        }
        for (TensorInfo tensor : gguf.tensors()) {
          if (tensor.shape().elements() > ELEMENTS_MAX) {
            throw broken(gguf.metadata(), tensor.name(), tensor.shape() + " is no adapter's");
          }
          builder.copied(tensor.name(), tensor.layout(), tensor.part(), tensor.offset());
        }
        store = builder.build();
      }
    }

    float[] of(GgufMetadata metadata, TensorInfo tensor) {
      float[] values = StoredNumbers.of(store.find(tensor.name()).orElseThrow());
      for (float value : values) {
        if (!Float.isFinite(value)) {
          throw broken(metadata, tensor.name(), "it holds " + value);
        }
      }
      return values;
    }

    @Override
    public void close() {
      store.close();
    }
  }
}
