/** What tests of several modules share: found models, made models, an oracle. */
@NullMarked
package io.gatun.tests.kit;

import org.jspecify.annotations.NullMarked;
