package io.gatun.tensor;

/** Where the numbers of a stored tensor are. */
public enum Placement {
  /** In the model file, mapped into memory: no copy. */
  MAPPED,
  /** In main memory. */
  HOST,
  /** In main memory, rearranged for faster matrix products; serves nothing else. */
  REPACKED,
  /** In the memory of a GPU. */
  DEVICE
}
