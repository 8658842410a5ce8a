package io.gatun.engine;

import io.gatun.model.adapter.Adapter;
import java.util.List;

/**
 * The adapters in an engine's memory.
 *
 * @owner the engine's thread
 */
interface AdapterPool {
  /**
   * Brings adapters into memory and keeps them there until {@link #release}.
   *
   * @throws io.gatun.tensor.CapacityException when they do not fit beside those of running requests
   */
  void acquire(List<AdapterUse> uses);

  /** One user less of each. */
  void release(List<AdapterUse> uses);

  /** Adapters in memory, the one used last at the end. */
  List<Adapter> list();

  /**
   * Takes one out of memory.
   *
   * @throws IllegalStateException while a running request uses it
   */
  void evict(Adapter adapter);
}
