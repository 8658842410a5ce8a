package io.gatun.model.adapter;

/**
 * A change of a model that leaves its weights alone. A value on the heap: an engine copies what it
 * needs into its own memory when a request first uses it.
 *
 * <p>Two adapters are the same when they are the same object, so that large arrays need not be
 * compared. Thread-safe as long as nobody writes into its arrays.
 */
public sealed interface Adapter permits LoraAdapter, SoftPrompt, KeyValuePrefix, ControlVector {
  /** What messages call it, usually the name of its file. */
  String name();

  /** The value of {@code general.architecture} of the models that it fits. */
  String architecture();

  /** Bytes of its numbers. */
  long bytes();
}
