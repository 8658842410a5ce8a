/** Choosing the next token from logits. */
@NullMarked
package io.gatun.engine.sample;

import org.jspecify.annotations.NullMarked;
