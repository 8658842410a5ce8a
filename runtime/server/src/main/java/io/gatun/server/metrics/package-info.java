/** What is counted and measured, for Prometheus. */
@NullMarked
package io.gatun.server.metrics;

import org.jspecify.annotations.NullMarked;
