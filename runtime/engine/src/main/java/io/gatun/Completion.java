package io.gatun;

import io.gatun.engine.FinishReason;
import io.gatun.engine.Usage;

/** A finished text, why it ended and what it took. */
public record Completion(String text, FinishReason finishReason, Usage usage) {}
