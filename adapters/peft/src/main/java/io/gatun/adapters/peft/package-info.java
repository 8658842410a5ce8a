/** Adapters beyond running them: exchange with PEFT, arithmetic, merging into a model's weights. */
@NullMarked
package io.gatun.adapters.peft;

import org.jspecify.annotations.NullMarked;
