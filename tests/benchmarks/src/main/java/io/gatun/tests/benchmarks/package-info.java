/** Programs that measure; see docs/benchmarks.md. Nothing here is a test. */
@NullMarked
package io.gatun.tests.benchmarks;

import org.jspecify.annotations.NullMarked;
