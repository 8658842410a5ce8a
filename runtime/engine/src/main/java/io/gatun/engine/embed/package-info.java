/** Vectors of texts, and scores of pairs of texts. */
@NullMarked
package io.gatun.engine.embed;

import org.jspecify.annotations.NullMarked;
