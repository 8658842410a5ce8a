package io.gatun.model;

import io.gatun.tensor.Tensor;

/**
 * Keys and values of a layer that do not come from a pass' own rows.
 *
 * @param keys [D·G, P], behind norms and rotary positions
 * @param values [D·G, P]
 */
public record KeysValues(Tensor keys, Tensor values) {}
