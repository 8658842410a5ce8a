package io.gatun.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ThreadCountTest {
  @TempDir Path root;

  @Test
  void what_others_use_is_left_to_them() {
    assertThat(choose(2, 2, 2, 0.0)).isEqualTo(2);
    assertThat(choose(2, 2, 2, 0.3)).isEqualTo(2);
    assertThat(choose(2, 2, 2, 0.97)).isEqualTo(1);
    assertThat(choose(2, 2, 2, 2)).isEqualTo(1);
    assertThat(choose(8, 8, 8, 3.2)).isEqualTo(5);
    assertThat(ThreadCount.of(processors(2, 2, 2), 1).reason())
        .isEqualTo("other programs use 1.0 of 2 processors");
  }

  @Test
  void cores_count_and_not_their_hardware_threads() {
    assertThat(choose(16, 16, 8, 0)).isEqualTo(8);
    assertThat(choose(16, 16, 8, 5)).isEqualTo(8);
    assertThat(choose(16, 16, 8, 12)).isEqualTo(4);
  }

  @Test
  void limits_hold() {
    assertThat(choose(64, 2, 64, 0)).isEqualTo(2);
    assertThat(choose(64, 2, 64, 40)).isEqualTo(2);
    assertThat(choose(64, 2, 64, 64)).isEqualTo(1);
    assertThat(choose(128, 128, 64, 0)).isEqualTo(16);
    assertThat(choose(1, 1, 1, 1)).isEqualTo(1);
  }

  @Test
  void a_machine_is_read_from_its_files() throws IOException {
    write("proc/self/status", "Name:\tx\nCpus_allowed_list:\t0-3,6\n");
    assertThat(read(5).cores()).isEqualTo(5);
    write("sys/system/cpu/smt/active", "1\n");
    for (int n : new int[] {0, 1, 2, 3, 6}) {
      String siblings = n < 4 ? (n & ~1) + "-" + (n | 1) : "6";
      write("sys/system/cpu/cpu" + n + "/topology/thread_siblings_list", siblings + "\n");
    }
    assertThat(read(5)).isEqualTo(new Processors(set(0, 1, 2, 3, 6), 5, 3));
    write("sys/cpu_core/cpus", "0-3\n");
    assertThat(read(5).cores()).isEqualTo(2);
  }

  @Test
  void slow_cores_are_left_out() throws IOException {
    write("proc/self/status", "Cpus_allowed_list:\t0-3\n");
    for (int n = 0; n < 4; n++) {
      write("sys/system/cpu/cpu" + n + "/cpu_capacity", n < 2 ? "430\n" : "1024\n");
    }
    assertThat(read(4).cores()).isEqualTo(2);
  }

  @Test
  void a_system_that_tells_nothing_gives_its_number() {
    assertThat(read(6)).isEqualTo(new Processors(set(0, 1, 2, 3, 4, 5), 6, 6));
    assertThat(ProcessorUse.read(root.resolve("proc"), set(0), 0)).isNull();
    assertThat(Processors.list("nonsense").isEmpty()).isTrue();
    assertThat(Processors.list("3-1").isEmpty()).isTrue();
  }

  @Test
  void the_use_of_others_is_what_is_not_ours() throws IOException {
    // Of processors 0 and 1, in 100 ticks each: all and half are busy, and 60 of that are ours.
    write("proc/stat", "cpu  9 9 9 9 9 9 9 9 0 0\n" + cpu(0, 0, 0) + cpu(1, 0, 0) + cpu(2, 0, 0));
    write("proc/self/stat", "7 (a ) b) S 1 1 1 0 -1 0 0 0 0 0 100 20 0 0 20 0 1 0\n");
    ProcessorUse first = use();
    write(
        "proc/stat",
        "cpu  9 9 9 9 9 9 9 9 0 0\n" + cpu(0, 100, 0) + cpu(1, 50, 50) + cpu(2, 99, 1));
    write("proc/self/stat", "7 (a ) b) S 1 1 1 0 -1 0 0 0 0 0 150 30 0 0 20 0 1 0\n");
    assertThat(use().othersSince(first, 2)).isEqualTo(0.9);
    assertThat(use().othersSince(use(), 2)).isZero();
  }

  @Test
  void this_machine_has_at_least_one() {
    ThreadCount free = ThreadCount.free();
    assertThat(free.threads()).isBetween(1, Runtime.getRuntime().availableProcessors());
    assertThat(free.reason()).isNotBlank();
  }

  private ProcessorUse use() {
    return Objects.requireNonNull(ProcessorUse.read(root.resolve("proc"), set(0, 1), 0));
  }

  private static String cpu(int number, int busy, int idle) {
    return "cpu%d %d 0 3 %d 5 0 0 1 0 0\n".formatted(number, busy, idle);
  }

  private Processors read(int quota) {
    return Processors.read(root.resolve("proc"), root.resolve("sys"), quota);
  }

  private static int choose(int allowed, int quota, int cores, double others) {
    return ThreadCount.of(processors(allowed, quota, cores), others).threads();
  }

  private static Processors processors(int allowed, int quota, int cores) {
    BitSet set = new BitSet();
    set.set(0, allowed);
    return new Processors(set, quota, cores);
  }

  private static BitSet set(int... numbers) {
    BitSet set = new BitSet();
    for (int number : numbers) {
      set.set(number);
    }
    return set;
  }

  private void write(String name, String text) throws IOException {
    Path file = root.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }
}
