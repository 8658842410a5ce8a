/** Conversations, and the prompts that models expect them as. */
@NullMarked
package io.gatun.model.chat;

import org.jspecify.annotations.NullMarked;
