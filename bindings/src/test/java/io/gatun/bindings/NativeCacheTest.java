package io.gatun.bindings;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeCacheTest {
  @TempDir Path source;
  @TempDir Path cache;

  @BeforeEach
  void libraries() throws IOException {
    Files.write(source.resolve("liba.so"), new byte[1 << 20]);
    Files.writeString(source.resolve("LICENSE"), "text");
    Files.writeString(source.resolve(Platform.current().library("gatun")), "kernels 1");
  }

  @Test
  void many_at_once_get_one_whole_folder() throws Exception {
    List<Callable<Path>> tasks = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      tasks.add(() -> NativeCache.unpack(source, cache));
    }
    try (var executor = Executors.newFixedThreadPool(16)) {
      for (Future<Path> result : executor.invokeAll(tasks)) {
        assertThat(result.get().resolve("liba.so")).hasSize(1 << 20);
      }
    }
    assertThat(folders()).hasSize(1);
  }

  @Test
  void a_second_time_nothing_is_written() throws IOException {
    Path first = NativeCache.unpack(source, cache);
    var written = Files.getLastModifiedTime(first.resolve("liba.so"));
    assertThat(NativeCache.unpack(source, cache)).isEqualTo(first);
    assertThat(Files.getLastModifiedTime(first.resolve("liba.so"))).isEqualTo(written);
  }

  @Test
  void a_damaged_folder_is_replaced() throws IOException {
    Path folder = NativeCache.unpack(source, cache);
    Files.write(folder.resolve("liba.so"), new byte[10]);
    assertThat(NativeCache.unpack(source, cache)).isEqualTo(folder);
    assertThat(folder.resolve("liba.so")).hasSize(1 << 20);
  }

  @Test
  void other_libraries_get_another_folder() throws IOException {
    Path first = NativeCache.unpack(source, cache);
    Files.writeString(source.resolve(Platform.current().library("gatun")), "kernels 2");
    assertThat(NativeCache.unpack(source, cache)).isNotEqualTo(first);
    assertThat(folders()).hasSize(2);
  }

  private Set<String> folders() throws IOException {
    try (Stream<Path> entries = Files.list(cache)) {
      return entries.map(p -> p.getFileName().toString()).collect(Collectors.toSet());
    }
  }
}
