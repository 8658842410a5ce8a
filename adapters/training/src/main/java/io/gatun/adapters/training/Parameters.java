package io.gatun.adapters.training;

import io.gatun.model.Model;
import io.gatun.model.Modifier;
import io.gatun.model.WeightSource;
import io.gatun.tensor.CompiledGraph;
import io.gatun.tensor.GraphBuilder;
import io.gatun.tensor.Shape;
import io.gatun.tensor.Tensor;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * What is trained: which numbers, how they begin, and how they act in the graph. To add a kind, one
 * small class. Stateless; the numbers themselves are in the trainer's store.
 */
public interface Parameters {
  /** The tensors that are trained, by names of the kind's own. */
  Map<String, Shape> shapes(Model model);

  /**
   * The values that one of them begins with.
   *
   * @param shape what {@link #shapes} says of it
   */
  float[] initial(Model model, String name, Shape shape, SplittableRandom random);

  /**
   * Which of them take the place of the model's weights.
   *
   * @param trained the tensors that are trained, by name
   */
  default WeightSource weights(WeightSource trained) {
    return _ -> Optional.empty();
  }

  /** How they change a graph, and what has to be written into it for each batch. */
  default Changes changes(Forward forward) {
    return Changes.of(Modifier.NONE);
  }

  /** How many rows of a soft prompt come before each example. */
  default int softRows() {
    return 0;
  }

  /** How many keys and values all rows see before their own. */
  default int prefixRows() {
    return 0;
  }

  /**
   * A forward pass that is about to be built.
   *
   * @param rows T
   * @param learning whether it is for gradients, and not only to rate text
   * @param trained the tensors that are trained, by name
   */
  record Forward(
      Model model, GraphBuilder graph, int rows, boolean learning, WeightSource trained) {
    /** One of the model's own weights as a node. */
    Tensor weight(String name) {
      return graph.stored(model.weights().find(name).orElseThrow());
    }

    /** A trained tensor as a node, if there is one of that name. */
    Optional<Tensor> find(String name) {
      return trained.find(name).map(graph::stored);
    }
  }

  /** A change of a graph, and who writes its inputs. */
  record Changes(Modifier modifier, Inputs inputs) {
    /** A change whose inputs do not depend on the batch. */
    static Changes of(Modifier modifier) {
      return new Changes(modifier, (_, _, _) -> {});
    }
  }

  /** Writes the inputs that a change has. */
  interface Inputs {
    /**
     * Before a pass.
     *
     * @param key a random number of this pass: the same when training goes on from a snapshot
     */
    void write(CompiledGraph target, MiniBatch batch, long key);
  }

  /** What else must be the same for training to go on from a snapshot. */
  default String settings() {
    return "";
  }

  /** Whether weight decay applies to one of them: not to norms and biases. */
  default boolean decays(String name) {
    return true;
  }
}
