/** Training on the graphs that run inference: what is trained, on what, how, and how it is kept. */
@NullMarked
package io.gatun.adapters.training;

import org.jspecify.annotations.NullMarked;
