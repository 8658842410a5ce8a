/**
 * Jinja templates as chat models use them: parsed and rendered within bounds, without reflection.
 */
@NullMarked
package io.gatun.model.template;

import org.jspecify.annotations.NullMarked;
