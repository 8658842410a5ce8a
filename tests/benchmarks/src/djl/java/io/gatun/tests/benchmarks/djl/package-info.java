/** Comparisons with LibTorch through DJL; built only with the Maven profile djl. */
@NullMarked
package io.gatun.tests.benchmarks.djl;

import org.jspecify.annotations.NullMarked;
