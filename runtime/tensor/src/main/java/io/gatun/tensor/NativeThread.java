package io.gatun.tensor;

import io.gatun.bindings.AbortTrap;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * The one thread that owns an engine's native state, and which the process can afford to lose: when
 * a GGML assertion fails on it, or on a GGML worker while it computes, or a C++ exception leaves it
 * uncaught, it is parked for ever, and all its pending and later tasks fail with a {@link
 * NativeException}.
 *
 * <p>Thread-safe. The thread is a daemon, so it never keeps a JVM alive.
 */
public final class NativeThread implements AutoCloseable {
  private final LinkedBlockingQueue<Task<?>> queue = new LinkedBlockingQueue<>();
  private final Thread thread;
  private volatile @Nullable String death;
  private volatile boolean closed;
  private final CountDownLatch gone = new CountDownLatch(1);
  private volatile @Nullable Task<?> running;

  public NativeThread(String name) {
    thread = Thread.ofPlatform().daemon().name(name).unstarted(this::run);
    thread.start();
  }

  /** Runs a task on the thread and waits for it. Called from the thread itself, runs it at once. */
  public <T> T call(Callable<T> task) {
    if (Thread.currentThread() == thread) {
      return callDirectly(task);
    }
    try {
      return submit(task).get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for " + thread.getName(), e);
    } catch (ExecutionException e) {
      throw rethrow(e.getCause() == null ? e : e.getCause());
    }
  }

  /** Queues a task. */
  public <T> CompletableFuture<T> submit(Callable<T> work) {
    Task<T> task = new Task<>(work, new CompletableFuture<>());
    if (closed) {
      throw closed();
    }
    queue.add(task);
    // The thread may have stopped looking just before that.
    String dead = death;
    if (dead != null) {
      task.fail(deathOf(dead));
    } else if (gone.getCount() == 0) {
      task.fail(closed());
    }
    return task.result();
  }

  /** Whether a failed GGML assertion has taken the thread. */
  public boolean dead() {
    return death != null;
  }

  /** Whether the calling thread is this one. */
  public boolean current() {
    return Thread.currentThread() == thread;
  }

  /** Throws what every use after the thread's death gives. */
  public void requireAlive() {
    String dead = death;
    if (dead != null) {
      throw deathOf(dead);
    }
  }

  /** Lets queued tasks finish, then ends the thread. */
  @Override
  public void close() {
    closeLater();
    if (!current()) {
      try {
        gone.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** {@link #close} without waiting, for a task that may never come back. */
  public void closeLater() {
    if (!closed) {
      closed = true;
      queue.add(new Task<>(() -> true, new CompletableFuture<>()));
    }
  }

  private void run() {
    AbortTrap.own(this::aborted);
    while (!closed || !queue.isEmpty()) {
      try {
        Task<?> task = queue.take();
        running = task;
        task.execute();
        running = null;
      } catch (InterruptedException e) {
        // Nobody but close() may end this thread.
        Thread.interrupted();
      }
    }
    AbortTrap.disown();
    gone.countDown();
    for (Task<?> task = queue.poll(); task != null; task = queue.poll()) {
      task.fail(closed());
    }
  }

  /** Called by the thread that failed, which will never come back. */
  private void aborted(String message) {
    death = message;
    NativeException failure = deathOf(message);
    Task<?> current = running;
    if (current != null) {
      current.fail(failure);
    }
    for (Task<?> task = queue.poll(); task != null; task = queue.poll()) {
      task.fail(failure);
    }
    gone.countDown();
  }

  private IllegalStateException closed() {
    return new IllegalStateException("already closed: " + thread.getName());
  }

  private NativeException deathOf(String message) {
    return new NativeException(
        "%s is dead: %s. Close the model and load it again; please report the message."
            .formatted(thread.getName(), message));
  }

  private static <T> T callDirectly(Callable<T> task) {
    try {
      return task.call();
    } catch (Exception e) {
      throw rethrow(e);
    }
  }

  private static RuntimeException rethrow(Throwable failure) {
    if (failure instanceof RuntimeException unchecked) {
      return unchecked;
    }
    if (failure instanceof Error error) {
      throw error;
    }
    return new IllegalStateException(failure);
  }

  private record Task<T>(Callable<T> work, CompletableFuture<T> result) {
    void execute() {
      try {
        result.complete(work.call());
      } catch (Throwable e) {
        result.completeExceptionally(e);
      }
    }

    void fail(Throwable failure) {
      result.completeExceptionally(failure);
    }
  }
}
