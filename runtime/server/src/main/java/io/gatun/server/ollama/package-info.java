/** What programs made for Ollama need of its interface. */
@NullMarked
package io.gatun.server.ollama;

import org.jspecify.annotations.NullMarked;
