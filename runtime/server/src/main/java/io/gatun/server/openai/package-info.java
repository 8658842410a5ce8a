/** OpenAI's interface. */
@NullMarked
package io.gatun.server.openai;

import org.jspecify.annotations.NullMarked;
