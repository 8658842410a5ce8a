/** A page to chat with the models. */
@NullMarked
package io.gatun.server.web;

import org.jspecify.annotations.NullMarked;
