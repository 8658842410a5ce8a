/** The transformer architectures, one file each. */
@NullMarked
package io.gatun.model.arch;

import org.jspecify.annotations.NullMarked;
