/** What lies between texts and tokens, as llama.cpp's server shows it. */
@NullMarked
package io.gatun.server.tokens;

import org.jspecify.annotations.NullMarked;
