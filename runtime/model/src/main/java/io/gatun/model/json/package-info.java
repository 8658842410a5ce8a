/** JSON as values: a strict reader and a writer, both bounded. */
@NullMarked
package io.gatun.model.json;

import org.jspecify.annotations.NullMarked;
