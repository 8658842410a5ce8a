/** Fetching models by name or address, and the folder on this machine where they are kept. */
@NullMarked
package io.gatun.hub;

import org.jspecify.annotations.NullMarked;
