/** What chat models write, taken apart while it comes: reasoning, content and tool calls. */
@NullMarked
package io.gatun.model.chat.reply;

import org.jspecify.annotations.NullMarked;
