/** Sequences, batching, the KV cache and sampling. */
@NullMarked
package io.gatun.engine;

import org.jspecify.annotations.NullMarked;
