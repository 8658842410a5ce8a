/** Models: files, vocabularies, weights and architectures. */
@NullMarked
package io.gatun.model;

import org.jspecify.annotations.NullMarked;
