package io.gatun.tests.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import io.gatun.hub.DownloadListener;
import io.gatun.hub.HubException;
import io.gatun.hub.HubOptions;
import io.gatun.hub.ModelReference;
import io.gatun.hub.ModelStore;
import io.gatun.hub.StoredModel;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Fetching models from a hub that fails in all the ways that hubs do. */
@Timeout(60)
class ModelStoreTest {
  private static final String REPO = "hf.co/owner/repo";

  @TempDir Path folder;
  private LocalHub hub;

  @BeforeEach
  void begin() throws IOException {
    hub = new LocalHub();
  }

  @AfterEach
  void end() {
    hub.close();
  }

  private static byte[] model(int bytes, long seed) {
    byte[] content = new byte[bytes];
    new SplittableRandom(seed).nextBytes(content);
    System.arraycopy("GGUF".getBytes(StandardCharsets.US_ASCII), 0, content, 0, 4);
    return content;
  }

  private ModelStore store() {
    return store(1);
  }

  private ModelStore store(int attempts) {
    HubOptions options =
        HubOptions.ofEnvironment(java.util.Map.of("HF_TOKEN", "secret"))
            .withEndpoint(hub.endpoint())
            .withPatience(attempts, Duration.ZERO, Duration.ofSeconds(20));
    return ModelStore.in(folder.resolve("store"), options);
  }

  private static StoredModel pull(ModelStore store, String reference) {
    return store.pull(
        ModelReference.parse(reference), Optional.empty(), false, DownloadListener.none());
  }

  @Test
  void the_quantization_most_people_want_is_chosen_and_found_again() throws IOException {
    hub.perPage = 2;
    byte[] wanted = model(70_000, 1);
    hub.put("m-Q8_0.gguf", model(100, 2));
    hub.put("m-Q4_K_M.gguf", wanted);
    hub.put("mmproj-F16.gguf", model(100, 3));
    hub.put("README.md", new byte[10]);
    StoredModel pulled = pull(store(), REPO);
    assertThat(pulled.reference()).isEqualTo(REPO + ":Q4_K_M");
    assertThat(pulled.sha256()).containsExactly(LocalHub.sha256(wanted));
    assertThat(Files.readAllBytes(pulled.file())).isEqualTo(wanted);
    assertThat(store().find(ModelReference.parse(REPO))).contains(pulled);
    assertThat(store().find(ModelReference.parse(REPO + ":q4_k_m"))).contains(pulled);
    assertThat(store().find(ModelReference.parse(REPO + ":Q8_0"))).isEmpty();
    StoredModel other = pull(store(), REPO + ":q8_0");
    assertThat(store().list()).containsExactly(pulled, other);
    assertThat(leftovers()).isEmpty();
  }

  /** 32 says how many experts or billions there are, FP16 is a type. */
  @Test
  void a_number_in_a_name_is_no_quantization() throws IOException {
    hub.put("m-32.gguf", model(100, 1));
    assertThat(pull(store(), REPO).reference()).doesNotContain(":32");
    hub.put("m-32-FP16.gguf", model(100, 2));
    assertThat(pull(store(), REPO + ":F16").reference()).isEqualTo(REPO + ":F16");
  }

  @Test
  void what_is_here_and_the_same_is_not_fetched_again() throws IOException {
    hub.put("m.Q8_0.gguf", model(100, 1));
    pull(store(), REPO);
    pull(store(), REPO);
    assertThat(hub.asked).hasSize(1);
    hub.put("m.Q8_0.gguf", model(120, 2));
    assertThat(pull(store(), REPO).bytes()).isEqualTo(120);
    assertThat(hub.asked).hasSize(2);
  }

  @Test
  void a_dropped_connection_goes_on_where_it_ended() throws IOException {
    byte[] content = model(3_000_000, 1);
    hub.put("m.gguf", content);
    hub.dropAfter = 1_000_000;
    hub.failures.set(2);
    assertThat(Files.readAllBytes(pull(store(4), REPO).file())).isEqualTo(content);
    assertThat(hub.asked)
        .startsWith("m.gguf null", "m.gguf null", "m.gguf null")
        .last(STRING)
        .matches("m.gguf bytes=[1-9]\\d*-");
  }

  @ParameterizedTest
  @CsvSource({"true, true", "false, true", "true, false"})
  void another_pull_goes_on_after_a_failed_one(boolean checksums, boolean ranges) throws Exception {
    byte[] content = model(2_000_000, 1);
    hub.put("m.gguf", content);
    hub.checksums = checksums;
    hub.ranges = ranges;
    hub.dropAfter = 1_500_000;
    assertThatThrownBy(() -> pull(store(), REPO))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("pull again");
    assertThat(store().list()).isEmpty();
    assertThat(Files.readAllBytes(pull(store(), REPO).file())).isEqualTo(content);
    assertThat(hub.asked).last(STRING).matches("m.gguf bytes=[1-9]\\d*-");
    assertThat(leftovers()).isEmpty();
  }

  @Test
  void what_was_fetched_of_another_content_is_thrown_away() throws IOException {
    hub.checksums = false;
    hub.put("m.gguf", model(2_000_000, 1));
    hub.dropAfter = 1_000_000;
    assertThatThrownBy(() -> pull(store(), REPO)).isInstanceOf(HubException.class);
    byte[] changed = model(2_000_000, 2);
    hub.put("m.gguf", changed);
    hub.etag = "\"two\"";
    assertThat(Files.readAllBytes(pull(store(), REPO).file())).isEqualTo(changed);
  }

  @Test
  void a_wrong_checksum_leaves_nothing() throws IOException {
    hub.put("m.gguf", model(1000, 1));
    hub.lie("m.gguf", "0".repeat(64));
    assertThatThrownBy(() -> pull(store(), REPO))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("expected 0000")
        .hasMessageContaining("m.gguf");
    assertThat(leftovers()).isEmpty();
    assertThat(store().list()).isEmpty();
  }

  @Test
  void all_parts_of_a_split_model_are_fetched() throws IOException {
    for (int part = 1; part <= 3; part++) {
      hub.put("big/m-Q6_K-0000%d-of-00003.gguf".formatted(part), model(500, part));
    }
    StoredModel pulled = pull(store(), REPO);
    assertThat(pulled.files()).hasSize(3);
    assertThat(pulled.file()).hasFileName("m-Q6_K-00001-of-00003.gguf");
    assertThat(pulled.bytes()).isEqualTo(1500);
    assertThat(store().remove(ModelReference.parse(REPO))).isEqualTo(1500);
    assertThat(folder.resolve("store")).isEmptyDirectory();
    assertThatThrownBy(() -> store().remove(ModelReference.parse(REPO)))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("is not here");
  }

  @Test
  void a_missing_part_is_said() {
    hub.put("m-00001-of-00002.gguf", model(500, 1));
    assertThatThrownBy(() -> pull(store(), REPO))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("2 parts");
  }

  @Test
  void the_token_is_sent_to_its_own_host_alone() {
    hub.redirect = true;
    hub.put("m.gguf", model(500, 1));
    pull(store(), REPO);
    assertThat(hub.authorized).hasSize(2);
    assertThat(hub.authorized.getFirst()).startsWith("127.0.0.1").endsWith("Bearer secret");
    assertThat(hub.authorized.getLast()).startsWith("localhost").endsWith("null");
  }

  @Test
  void an_address_is_fetched_once_and_may_have_a_checksum() throws IOException {
    byte[] content = model(5000, 1);
    hub.put("a/m.gguf", content);
    String address = hub.endpoint() + "/cdn/a/m.gguf";
    ModelReference reference = ModelReference.parse(address);
    assertThatThrownBy(() ->
            store().pull(reference, Optional.of("1".repeat(64)), false, DownloadListener.none()))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("SHA-256");
    StoredModel pulled = pull(store(), address);
    assertThat(pulled.reference()).isEqualTo(address);
    assertThat(Files.readAllBytes(pulled.file())).isEqualTo(content);
    int before = hub.asked.size();
    assertThat(pull(store(), address)).isEqualTo(pulled);
    assertThat(hub.asked).hasSize(before);
    store().pull(reference, Optional.empty(), true, DownloadListener.none());
    assertThat(hub.asked).hasSize(before + 1);
    store().remove(reference);
    assertThat(store().find(reference)).isEmpty();
  }

  @Test
  void what_is_no_model_does_not_become_one() throws IOException {
    hub.put("m.gguf", "<html>please log in</html>".getBytes(StandardCharsets.UTF_8));
    assertThatThrownBy(() -> pull(store(3), REPO))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("no GGUF file");
    assertThat(hub.asked).hasSize(1);
    assertThat(store().list()).isEmpty();
  }

  @Test
  void names_that_lead_elsewhere_are_not_taken() {
    hub.put("../../evil.gguf", model(100, 1));
    hub.put("/etc/evil.gguf", model(100, 2));
    assertThatThrownBy(() -> pull(store(), REPO))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("no GGUF file");
  }

  @Test
  void what_does_not_exist_is_said_with_what_does() {
    hub.put("m-Q8_0.gguf", model(100, 1));
    assertThatThrownBy(() -> pull(store(), REPO + ":Q2_K"))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("m-Q8_0.gguf");
    assertThatThrownBy(() -> pull(store(), "hf.co/owner/other"))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("does not exist");
    assertThatThrownBy(() -> pull(store(), hub.endpoint() + "/cdn/none.gguf"))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("404");
    hub.stop();
    assertThatThrownBy(() -> pull(store(), REPO))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("no connection");
  }

  @Test
  void a_model_with_a_part_deleted_is_not_there() throws IOException {
    hub.put("m.gguf", model(100, 1));
    StoredModel pulled = pull(store(), REPO);
    Files.delete(pulled.file());
    assertThat(store().list()).isEmpty();
    assertThat(pull(store(), REPO).file()).exists();
  }

  @ParameterizedTest
  @CsvSource({
    "hf.co/a/b, hf.co/a/b",
    "hf.co/a/b:q4_k_m, hf.co/a/b:Q4_K_M",
    "hf.co/a/b@v1:Q8_0, hf.co/a/b@v1:Q8_0",
    "https://huggingface.co/a/b, hf.co/a/b",
    "https://huggingface.co/a/b/blob/main/x/y.gguf, hf.co/a/b/x/y.gguf",
    "https://hf.co/a/b/resolve/dev/y.gguf?download=true, hf.co/a/b@dev/y.gguf",
    "hf.co/a/b/y.gguf, hf.co/a/b/y.gguf",
    "https://example.org/x/y.gguf, https://example.org/x/y.gguf",
  })
  void references_are_read_as_people_write_them(String text, String expected) {
    assertThat(ModelReference.isReference(text)).isTrue();
    assertThat(ModelReference.parse(text)).hasToString(expected);
    assertThat(ModelReference.parse(expected)).isEqualTo(ModelReference.parse(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "hf.co/a",
        "hf.co/../b",
        "hf.co/a/b/../../x.gguf",
        "hf.co/a/b/x.bin",
        "https://user@example.org/x.gguf",
        "https://example.org/",
        "https:///x.gguf",
        "model.gguf"
      })
  void what_is_no_reference_is_refused(String text) {
    assertThatThrownBy(() -> ModelReference.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(text);
  }

  /** Files of the store that belong to unfinished downloads. */
  private List<Path> leftovers() throws IOException {
    if (!Files.exists(folder.resolve("store"))) {
      return List.of();
    }
    try (Stream<Path> files = Files.walk(folder.resolve("store"))) {
      return files.filter(f -> f.toString().contains(".part")).toList();
    }
  }

  @Test
  void endpoints_are_addresses() {
    for (String wrong : Arrays.asList("ftp://x", "no address", "/here")) {
      assertThatThrownBy(
              () -> HubOptions.ofEnvironment(java.util.Map.of("GATUN_HUB_ENDPOINT", wrong)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(wrong);
    }
    assertThat(HubOptions.ofEnvironment(java.util.Map.of("HF_ENDPOINT", "http://h:1/p")).endpoint())
        .isEqualTo(URI.create("http://h:1/p"));
  }
}
