/** Anthropic's interface. */
@NullMarked
package io.gatun.server.anthropic;

import org.jspecify.annotations.NullMarked;
