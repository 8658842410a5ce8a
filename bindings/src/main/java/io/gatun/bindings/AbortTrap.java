package io.gatun.bindings;

import io.gatun.bindings.ggml.Ggml;
import io.gatun.bindings.ggml.ggml_abort_callback_t;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/**
 * Keeps a failed {@code GGML_ASSERT} from ending the process.
 *
 * <p>GGML calls back with the message and then aborts. The callback tells whoever is responsible
 * and never returns: the thread that failed is parked for ever. That is a last resort behind the
 * checks in Java, for threads of our own only; on any other thread the process ends as GGML wants.
 *
 * <p>During a compute the assertion may fail on one of GGML's worker threads, which cannot be
 * mapped to its caller, so then every computing owner is told.
 */
public final class AbortTrap {
  /** Told once that its native work will never finish. Must not throw and must not block. */
  @FunctionalInterface
  public interface Listener {
    void aborted(String message);
  }

  private static final ThreadLocal<Listener> OWNER = new ThreadLocal<>();
  private static final Set<Listener> COMPUTING = ConcurrentHashMap.newKeySet();

  private AbortTrap() {}

  /** Makes the calling thread, which must be expendable, report to a listener from now on. */
  public static void own(Listener listener) {
    OWNER.set(listener);
  }

  /** Ends {@link #own} for the calling thread. */
  public static void disown() {
    OWNER.remove();
  }

  /** Marks the calling thread's listener as waiting for GGML's worker threads. */
  public static void computing(boolean active) {
    Listener listener = OWNER.get();
    if (listener != null) {
      if (active) {
        COMPUTING.add(listener);
      } else {
        COMPUTING.remove(listener);
      }
    }
  }

  static void install() {
    MemorySegment stub = ggml_abort_callback_t.allocate(AbortTrap::trap, Arena.global());
    MemorySegment _ = Ggml.ggml_set_abort_callback(stub);
  }

  private static void trap(MemorySegment message) {
    boolean trapped = false;
    try {
      String text = message.reinterpret(4096).getString(0).strip();
      Listener owner = OWNER.get();
      Set<Listener> told = owner != null ? Set.of(owner) : Set.copyOf(COMPUTING);
      for (Listener listener : told) {
        listener.aborted(text);
        trapped = true;
      }
      if (!trapped) {
        System.getLogger("io.gatun.bindings").log(System.Logger.Level.ERROR, text);
      }
    } catch (Throwable ignored) {
      // An exception that escaped would end the JVM as well, without GGML's message.
    }
    while (trapped) {
      LockSupport.park();
    }
  }
}
