/** The models that a server has, and who uses them. */
@NullMarked
package io.gatun.server.models;

import org.jspecify.annotations.NullMarked;
