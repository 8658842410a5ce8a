package io.gatun.model;

import io.gatun.tensor.StoredTensor;
import java.util.Optional;

/** Where a graph finds its weights. */
@FunctionalInterface
public interface WeightSource {
  /** A tensor by its name in the file, with its suffix. */
  Optional<StoredTensor> find(String name);
}
