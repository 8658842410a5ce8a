/** The server: which address answers how, and what it allows. */
@NullMarked
package io.gatun.server;

import org.jspecify.annotations.NullMarked;
