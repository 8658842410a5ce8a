/**
 * Finds, loads and checks the native libraries; the generated bindings live in the packages below.
 */
@NullMarked
package io.gatun.bindings;

import org.jspecify.annotations.NullMarked;
