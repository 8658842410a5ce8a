/** What requests for texts have in common, whichever interface they come by. */
@NullMarked
package io.gatun.server.generate;

import org.jspecify.annotations.NullMarked;
