package io.gatun.model.gguf;

import io.gatun.tensor.DType;
import io.gatun.tensor.Layout;
import io.gatun.tensor.Shape;

/**
 * A tensor in a GGUF file: where its bytes are and how they are to be read.
 *
 * @param part which file of a split model, 0 for the first
 * @param offset bytes from the beginning of that file
 */
public record TensorInfo(String name, DType type, Shape shape, int part, long offset) {
  /** The dense layout of the bytes. */
  public Layout layout() {
    return Layout.dense(type, shape);
  }

  public long bytes() {
    return layout().bytes();
  }
}
