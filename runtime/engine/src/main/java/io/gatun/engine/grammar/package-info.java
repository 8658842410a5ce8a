/** Constrained output: grammars, and which tokens they allow next. */
@NullMarked
package io.gatun.engine.grammar;

import org.jspecify.annotations.NullMarked;
