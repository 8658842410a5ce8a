/** The {@code gatun} command: one file per subcommand. */
@NullMarked
package io.gatun.cli;

import org.jspecify.annotations.NullMarked;
