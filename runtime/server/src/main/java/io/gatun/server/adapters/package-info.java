/** Adapters that come and go while a server runs. */
@NullMarked
package io.gatun.server.adapters;

import org.jspecify.annotations.NullMarked;
