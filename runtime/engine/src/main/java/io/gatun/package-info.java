/**
 * The front door: load a model, complete text, stream, chat.
 *
 * <pre>{@code
 * try (LanguageModel model = Gatun.load(Path.of("model.gguf"))) {
 *   model.stream("Once upon a time").forEach(System.out::print);
 * }
 * }</pre>
 */
@NullMarked
package io.gatun;

import org.jspecify.annotations.NullMarked;
