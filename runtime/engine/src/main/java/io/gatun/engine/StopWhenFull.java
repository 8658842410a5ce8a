package io.gatun.engine;

import java.util.BitSet;

/** Forgets nothing, so that a full context ends the generation. */
record StopWhenFull() implements ContextPolicy {
  @Override
  public BitSet forget(Past past) {
    return new BitSet();
  }

  @Override
  public boolean forgets() {
    return false;
  }
}
