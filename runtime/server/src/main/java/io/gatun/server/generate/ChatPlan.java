package io.gatun.server.generate;

import io.gatun.GenerateOptions;
import io.gatun.model.chat.Conversation;

/**
 * A conversation that shall be answered.
 *
 * @param tools that answers may call, or have to
 * @param choices how many answers; each has a seed of its own
 */
public record ChatPlan(
    Conversation conversation, GenerateOptions options, ToolUse tools, int choices) {}
