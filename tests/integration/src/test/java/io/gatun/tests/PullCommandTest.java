package io.gatun.tests;

import static io.gatun.tests.CommandLineTest.gatun;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.tests.CommandLineTest.Result;
import io.gatun.tests.hub.LocalHub;
import io.gatun.tests.kit.SharedFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A model by its name, from a hub to an answer and out again. */
@Timeout(120)
class PullCommandTest {
  @TempDir Path folder;

  @Test
  void a_model_is_fetched_listed_run_by_its_name_and_deleted() throws Exception {
    try (LocalHub hub = new LocalHub()) {
      hub.put("stories-F32.gguf", Files.readAllBytes(SharedFiles.stories()));
      Map<String, String> env =
          Map.of("GATUN_CACHE_DIR", folder.toString(), "HF_ENDPOINT", hub.endpoint().toString());
      Result run =
          gatun(env, "run", "hf.co/owner/repo", "-p", "Once upon a time", "-n", "8", "--greedy");
      assertThat(run.code()).as(run.err()).isZero();
      assertThat(run.out()).startsWith(", there was a");
      assertThat(run.err()).startsWith("fetching hf.co/owner/repo");

      assertThat(gatun(env, "list").out()).contains("hf.co/owner/repo:F32").hasLineCount(1);
      hub.stop(); // what is here needs no hub
      Result again =
          gatun(
              env, "run", "hf.co/owner/repo:f32", "-p", "Once upon a time", "-n", "8", "--greedy");
      assertThat(again.out()).isEqualTo(run.out());
      assertThat(again.err()).isEmpty();

      Result gone = gatun(env, "pull", "hf.co/owner/repo");
      assertThat(gone.code()).isEqualTo(1);
      assertThat(gone.err()).hasLineCount(1).contains("no connection");
      Result removed = gatun(env, "rm", "stories-F32.gguf");
      assertThat(removed.code()).as(removed.err()).isZero();
      assertThat(gatun(env, "list").out()).isEmpty();
      assertThat(gatun(env, "rm", "hf.co/owner/repo").code()).isEqualTo(1);
    }
  }
}
