/** The jobs that libllama keeps: vocabularies, and decoding as an oracle and for comparison. */
@NullMarked
package io.gatun.tensor.llama;

import org.jspecify.annotations.NullMarked;
