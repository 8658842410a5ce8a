/** GGUF files: reading without trust, and writing. */
@NullMarked
package io.gatun.model.gguf;

import org.jspecify.annotations.NullMarked;
