package io.gatun.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.bindings.NativeLibraries;
import io.gatun.bindings.ggml.Ggml;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class NativeThreadTest {
  @Test
  void a_failed_assertion_of_ggml_ends_the_thread_and_not_the_process() {
    var _ = NativeLibraries.load();
    NativeThread thread = new NativeThread("doomed");
    CompletableFuture<Boolean> broken =
        thread.submit(() -> {
          // GGML asserts that it knows the type, before it looks at the context.
          var _ = Ggml.ggml_new_tensor_1d(MemorySegment.NULL, 9999, 1);
          return true;
        });
    assertThatThrownBy(broken::get)
        .isInstanceOf(ExecutionException.class)
        .cause()
        .isInstanceOf(NativeException.class)
        .hasMessageContaining("doomed is dead");
    assertThat(thread.dead()).isTrue();
    assertThatThrownBy(() -> thread.call(() -> 1)).isInstanceOf(NativeException.class);
    assertThatThrownBy(thread::requireAlive).isInstanceOf(NativeException.class);
    thread.close();

    try (Ops ops = new Ops()) {
      assertThat(ops.compute(ops.given(new float[] {2}, 1).scale(3))).containsExactly(6);
    }
  }

  @Test
  void exceptions_pass_through() {
    try (NativeThread thread = new NativeThread("working")) {
      assertThatThrownBy(() ->
              thread.call(() -> {
                throw new IllegalArgumentException("mine");
              }))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("mine");
      assertThat(thread.<Integer>call(() -> 7)).isEqualTo(7);
      assertThat(thread.<Boolean>call(thread::current)).isTrue();
    }
  }

  @Test
  void a_closed_thread_takes_nothing() {
    NativeThread thread = new NativeThread("closed");
    thread.close();
    assertThatThrownBy(() -> thread.submit(() -> 1)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  @Timeout(60)
  void what_is_submitted_while_it_closes_ends_in_one_way_or_another() throws Exception {
    for (int round = 0; round < 300; round++) {
      NativeThread thread = new NativeThread("closing");
      CountDownLatch go = new CountDownLatch(1);
      List<CompletableFuture<Integer>> tasks = new ArrayList<>();
      Thread submitter =
          Thread.ofPlatform()
              .start(() -> {
                try {
                  go.await();
                  while (true) {
                    tasks.add(thread.submit(() -> 1));
                  }
                } catch (IllegalStateException | InterruptedException closed) {
                  // What has been taken until now must end.
                }
              });
      go.countDown();
      thread.close();
      submitter.join();
      for (CompletableFuture<Integer> task : tasks) {
        assertThat(task.handle((_, _) -> true).get(10, TimeUnit.SECONDS)).isTrue();
      }
    }
  }

  @Test
  @Timeout(60)
  void closing_a_thread_that_dies_of_its_last_task_returns() {
    var _ = NativeLibraries.load();
    NativeThread thread = new NativeThread("dying");
    CountDownLatch closing = new CountDownLatch(1);
    CompletableFuture<MemorySegment> broken =
        thread.submit(() -> {
          closing.await();
          Thread.sleep(50);
          return Ggml.ggml_new_tensor_1d(MemorySegment.NULL, 9999, 1);
        });
    closing.countDown();
    thread.close();
    assertThat(broken).isCompletedExceptionally();
    assertThat(thread.dead()).isTrue();
  }
}
