package io.gatun.bindings;

import io.gatun.bindings.ggml.Ggml;
import io.gatun.bindings.ggml.ggml_abort_callback_t;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/**
 * Keeps a failed {@code GGML_ASSERT}, or a C++ exception that nobody catches, from ending the
 * process.
 *
 * <p>GGML calls back with the message and then aborts; the C++ library calls a function before it
 * does the same. Ours tell whoever is responsible and never return: the thread that failed is
 * parked for ever. That is a last resort behind the checks in Java, for threads of our own only; on
 * any other thread the process ends as it would have.
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

  /** {@code std::set_terminate} in the names of GCC and Clang; Windows has others. */
  private static final String SET_TERMINATE = "_ZSt13set_terminatePFvvE";

  private static final String CURRENT_EXCEPTION_TYPE = "__cxa_current_exception_type";

  private static final ThreadLocal<Listener> OWNER = new ThreadLocal<>();
  private static final Set<Listener> COMPUTING = ConcurrentHashMap.newKeySet();

  private static MemorySegment previous = MemorySegment.NULL;
  private static Optional<MemorySegment> exceptionType = Optional.empty();

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

  /**
   * Sets both traps.
   *
   * @param libraries finds the C++ library that GGML is linked with, too; where that has no such
   *     function, exceptions are not trapped
   */
  static void install(SymbolLookup libraries) {
    MemorySegment stub = ggml_abort_callback_t.allocate(AbortTrap::trap, Arena.global());
    MemorySegment _ = Ggml.ggml_set_abort_callback(stub);
    libraries
        .find(SET_TERMINATE)
        .ifPresent(function -> setTerminate(function, libraries.find(CURRENT_EXCEPTION_TYPE)));
  }

  private static void setTerminate(MemorySegment function, Optional<MemorySegment> typeFunction) {
    try {
      Linker linker = Linker.nativeLinker();
      Runnable trap = AbortTrap::terminated;
      MethodHandle target =
          MethodHandles.lookup()
              .findVirtual(Runnable.class, "run", MethodType.methodType(void.class))
              .bindTo(trap);
      MemorySegment stub = linker.upcallStub(target, FunctionDescriptor.ofVoid(), Arena.global());
      exceptionType = typeFunction;
      previous =
          (MemorySegment)
              linker
                  .downcallHandle(
                      function, FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS))
                  .invokeExact(stub);
    } catch (Throwable e) {
      throw new AssertionError("std::set_terminate cannot fail to link", e);
    }
  }

  /** Called by {@code std::terminate}; the process ends when this returns. */
  private static void terminated() {
    try {
      Listener owner = OWNER.get();
      if (owner != null) {
        owner.aborted("native code failed with a C++ exception" + exceptionName());
        park();
      }
      if (!previous.equals(MemorySegment.NULL)) {
        Linker.nativeLinker().downcallHandle(previous, FunctionDescriptor.ofVoid()).invokeExact();
      }
    } catch (Throwable ignored) {
      // As in trap().
    }
  }

  /** The mangled name of the exception's type: a type_info begins with two pointers. */
  private static String exceptionName() {
    if (exceptionType.isEmpty()) {
      return "";
    }
    try {
      MemorySegment type =
          (MemorySegment)
              Linker.nativeLinker()
                  .downcallHandle(exceptionType.get(), FunctionDescriptor.of(ValueLayout.ADDRESS))
                  .invokeExact();
      return type.equals(MemorySegment.NULL)
          ? ""
          : ": "
              + type.reinterpret(2 * ValueLayout.ADDRESS.byteSize())
                  .getAtIndex(ValueLayout.ADDRESS, 1)
                  .reinterpret(4096)
                  .getString(0);
    } catch (Throwable e) {
      return "";
    }
  }

  private static void park() {
    while (true) {
      LockSupport.park();
    }
  }

  private static void trap(MemorySegment message) {
    boolean trapped = false;
    try {
      String text = message.reinterpret(4096).getString(0).strip();
      Listener owner = OWNER.get();
      Set<Listener> told = owner != null ? Set.of(owner) : Set.copyOf(COMPUTING);
      for (Listener listener : told) {
        listener.aborted("GGML stopped on an assertion: " + text);
        trapped = true;
      }
      if (!trapped) {
        System.getLogger("io.gatun.bindings").log(System.Logger.Level.ERROR, text);
      }
    } catch (Throwable ignored) {
      // An exception that escaped would end the JVM as well, without GGML's message.
    }
    if (trapped) {
      park();
    }
  }
}
