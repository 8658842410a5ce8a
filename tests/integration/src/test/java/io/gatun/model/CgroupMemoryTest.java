package io.gatun.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CgroupMemoryTest {
  @TempDir Path folder;

  @Test
  void a_containers_limit_counts_less_what_it_uses() throws IOException {
    Path two = folder.resolve("two");
    Files.createDirectories(two.resolve("pod/box"));
    Path self = Files.writeString(folder.resolve("self"), "0::/pod/box\n");
    Files.writeString(two.resolve("pod/memory.max"), "1000\n");
    Files.writeString(two.resolve("pod/memory.current"), "900\n");
    Files.writeString(two.resolve("pod/memory.stat"), "anon 5\nfile 600\ninactive_file 300\nx 1\n");
    Files.writeString(two.resolve("pod/box/memory.max"), "max\n");
    Files.writeString(two.resolve("pod/box/memory.current"), "800\n");
    assertThat(new CgroupMemory(self, two).available()).hasValue(400);

    Path one = folder.resolve("one");
    Files.createDirectories(one.resolve("memory/box"));
    Files.writeString(self, "5:cpu,cpuacct:/box\n4:memory:/box\n0::/\n");
    Files.writeString(one.resolve("memory/memory.limit_in_bytes"), "9223372036854771712\n");
    Files.writeString(one.resolve("memory/memory.usage_in_bytes"), "5000\n");
    Files.writeString(one.resolve("memory/box/memory.limit_in_bytes"), "2000\n");
    Files.writeString(one.resolve("memory/box/memory.usage_in_bytes"), "1500\n");
    Files.writeString(one.resolve("memory/box/memory.stat"), "total_inactive_file 100\n");
    assertThat(new CgroupMemory(self, one).available()).hasValue(600);

    assertThat(new CgroupMemory(folder.resolve("absent"), one).available()).isEmpty();
    assertThat(MemoryPlan.availableBytes()).isBetween(1L, MemoryPlan.totalBytes());
  }
}
