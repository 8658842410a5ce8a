/** Requests and answers over HTTP, whatever they are about. */
@NullMarked
package io.gatun.server.http;

import org.jspecify.annotations.NullMarked;
