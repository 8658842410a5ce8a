package io.gatun.server.generate;

import io.gatun.GenerateOptions;

/**
 * What shall be generated.
 *
 * @param prompt token ids; owned by the callee
 * @param choices how many texts; each has a seed of its own
 */
public record TextPlan(int[] prompt, GenerateOptions options, int choices) {}
