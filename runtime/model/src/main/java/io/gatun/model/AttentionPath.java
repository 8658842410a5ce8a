package io.gatun.model;

import io.gatun.tensor.Tensor;

/** Where attention finds keys and values: in a cache, or only in the pass itself. */
interface AttentionPath {
  /** q [D, H, T], k and v [D, G, T] → [D·H, T]. */
  Tensor attend(
      Pass pass, LayerScope s, Tensor q, Tensor k, Tensor v, LayerScope.Attention options);
}
