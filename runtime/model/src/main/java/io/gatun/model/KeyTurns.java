package io.gatun.model;

import io.gatun.tensor.DType;
import io.gatun.tensor.GraphBuilder;
import io.gatun.tensor.Op;
import io.gatun.tensor.RopeParameters;
import io.gatun.tensor.StoredTensor;
import io.gatun.tensor.Tensor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * How each layer turns its keys by their positions, read off the graph that the architecture
 * builds: a key's last op is its rotation, or the rotation of its last numbers alone.
 *
 * @param layers per layer, empty where keys know nothing of positions
 */
record KeyTurns(List<Optional<Turn>> layers) {

  /**
   * One layer's rotation.
   *
   * @param from the first number of a key that is turned
   * @param factors the file's frequency factors, if they are used
   */
  record Turn(int from, RopeParameters parameters, Optional<StoredTensor> factors) {}

  /**
   * Reads a model's.
   *
   * @throws UnsupportedModelException when positions reach keys in another way, so that a key
   *     cannot be moved to another position
   */
  static KeyTurns of(Model model, int contextTokens) {
    GraphBuilder g = new GraphBuilder();
    Tensor tokens = g.indices("tokens", DType.I32, model.vocabularySize(), 1);
    Tensor positions = g.indices("positions", DType.I32, Integer.MAX_VALUE, 1);
    Tensor temperatures = g.input("temperatures", DType.F32, 1, 1, 1);
    Tensor mask = g.input("mask", DType.F16, 1, 1);
    List<Tensor> keys = new ArrayList<>();
    List<Tensor> inputs = new ArrayList<>();
    AttentionPath fresh = new FreshAttention(mask, mask);
    Pass pass =
        new Pass(
            model,
            model.weights()::find,
            g,
            positions,
            temperatures,
            Optional.empty(),
            model.frequencyFactors(contextTokens).map(g::stored),
            (p, s, q, k, v, options) -> {
              keys.add(k);
              return fresh.attend(p, s, q, k, v, options);
            },
            Modifier.NONE);
    g.output(LayerLoop.run(pass, tokens, inputs::add));
    for (Tensor node : g.build().nodes()) {
      if (node.operands().contains(positions) && !(node.op() instanceof Op.Rope)) {
        throw unmovable(model, "positions are learned");
      }
    }
    List<Optional<Turn>> layers = new ArrayList<>();
    for (int layer = 0; layer < keys.size(); layer++) {
      layers.add(turn(model, keys.get(layer), inputs.get(layer)));
    }
    return new KeyTurns(List.copyOf(layers));
  }

  private static Optional<Turn> turn(Model model, Tensor key, Tensor layerInput) {
    Tensor x = moved(key);
    int from = 0;
    if (x.op() instanceof Op.Concat(int axis)
        && axis == 0
        && !turnedBehind(x.operands().getFirst(), layerInput)) {
      from = Math.toIntExact(x.operands().getFirst().shape().d0());
      x = moved(x.operands().getLast());
    }
    if (x.op() instanceof Op.Rope(RopeParameters parameters)) {
      Optional<StoredTensor> factors =
          x.operands().size() < 3
              ? Optional.empty()
              : Optional.of(((Op.Stored) x.operands().get(2).op()).tensor());
      return Optional.of(new Turn(from, parameters, factors));
    }
    if (turnedBehind(x, layerInput)) {
      throw unmovable(model, "keys are changed after they are turned");
    }
    return Optional.empty();
  }

  /**
   * What a tensor's numbers come from unchanged, or divided by the length of their row, which no
   * rotation changes.
   */
  private static Tensor moved(Tensor tensor) {
    Tensor x = tensor;
    while (x.op() instanceof Op.View
        || x.op() instanceof Op.Reshape
        || x.op() instanceof Op.Permute
        || x.op() instanceof Op.Repeat
        || x.op() instanceof Op.RmsNorm
        || x.op() instanceof Op.Dense) {
      x = x.operands().getFirst();
    }
    return x;
  }

  /** Whether something between a layer's input and a node is turned. */
  private static boolean turnedBehind(Tensor node, Tensor layerInput) {
    Deque<Tensor> open = new ArrayDeque<>(List.of(node));
    Set<Tensor> seen = new HashSet<>(List.of(layerInput));
    while (!open.isEmpty()) {
      Tensor x = open.pop();
      if (x.op() instanceof Op.Rope) {
        return true;
      }
      x.operands().stream().filter(seen::add).forEach(open::push);
    }
    return false;
  }

  private static UnsupportedModelException unmovable(Model model, String why) {
    return new UnsupportedModelException(
        "%s: tokens of %s cannot move to other positions: %s"
            .formatted(model.name(), model.hyperparams().architecture(), why));
  }
}
