/** Graphs as values, and the one place where native code is called. */
@NullMarked
package io.gatun.tensor;

import org.jspecify.annotations.NullMarked;
