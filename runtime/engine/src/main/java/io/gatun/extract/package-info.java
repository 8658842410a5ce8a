/** Java types as JSON schemas, and JSON as objects of them. */
@NullMarked
package io.gatun.extract;

import org.jspecify.annotations.NullMarked;
