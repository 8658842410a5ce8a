package io.gatun.adapters.training;

import io.gatun.model.Model;
import io.gatun.tensor.DType;
import io.gatun.tensor.Device;
import io.gatun.tensor.Layout;
import io.gatun.tensor.Op.UpdateRule;
import io.gatun.tensor.Shape;
import io.gatun.tensor.StoredTensor;
import io.gatun.tensor.Tensor;
import io.gatun.tensor.TensorStore;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * Memory of what is trained: parameters, an optimiser's moments, and gradients that add up over
 * several passes.
 *
 * @owner the trainer
 */
final class ParameterStore implements AutoCloseable {
  private final Map<String, Shape> shapes;
  private final UpdateRule rule;
  private final TensorStore store;
  private final TensorStore sums;

  ParameterStore(
      Model model, Parameters parameters, UpdateRule rule, boolean accumulates, long seed) {
    this.shapes = new LinkedHashMap<>(parameters.shapes(model));
    this.rule = rule;
    try (TensorStore.Builder builder = TensorStore.builder("parameters");
        TensorStore.Builder adding = TensorStore.builder("gradients")) {
      shapes.forEach((name, shape) -> {
        builder.zeroed(name, Layout.dense(DType.F32, shape), Device.cpu());
        for (int i = 0; i < rule.moments(); i++) {
          builder.zeroed(moment(name, i), Tensor.momentLayout(rule, shape), Device.cpu());
        }
        if (accumulates) {
          adding.zeroed(name, Layout.dense(DType.F32, shape), Device.cpu());
        }
      });
      store = builder.build();
      sums = adding.build();
    }
    SplittableRandom random = new SplittableRandom(seed);
    shapes.forEach((name, shape) ->
        store.write(get(name), 0, parameters.initial(model, name, shape, random.split())));
  }

  List<String> names() {
    return List.copyOf(shapes.keySet());
  }

  Optional<StoredTensor> find(String name) {
    return shapes.containsKey(name) ? store.find(name) : Optional.empty();
  }

  StoredTensor get(String name) {
    return store.find(name).orElseThrow();
  }

  StoredTensor moment(String name, Integer number) {
    return store.find(moment(name, number.intValue())).orElseThrow();
  }

  /** Where a parameter's gradients add up. */
  StoredTensor sum(String name) {
    return sums.find(name).orElseThrow();
  }

  void clearSums() {
    sums.zero();
  }

  /** Puts other numbers in the place of a parameter's. */
  void write(String name, float[] values) {
    store.write(get(name), 0, values);
  }

  /** What a parameter's gradients have added up to. */
  float[] gradient(String name) {
    return sums.read(sum(name));
  }

  float[] values(String name) {
    return store.read(get(name));
  }

  long count() {
    return shapes.values().stream().mapToLong(Shape::elements).sum();
  }

  /** Everything that a snapshot has to keep, by name. */
  List<StoredTensor> state() {
    return List.copyOf(store.tensors());
  }

  byte[] bytes(StoredTensor tensor) {
    return store.readBytes(tensor);
  }

  void restore(StoredTensor tensor, byte[] bytes) {
    store.writeBytes(tensor, bytes);
  }

  UpdateRule rule() {
    return rule;
  }

  @Override
  public void close() {
    sums.close();
    store.close();
  }

  private static String moment(String name, int number) {
    return name + ".moment" + number;
  }
}
