package io.gatun.tests.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.UnauthorizedException;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.completions.CompletionCreateParams;
import io.gatun.server.ServerOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** OpenAI's own Java client, which knows nothing of Gatun. */
@Timeout(60)
class OpenAiClientTest {
  private static TestServer server;
  private static OpenAIClient client;

  @BeforeAll
  static void start() throws Exception {
    server = TestServer.start(ServerOptions.defaults().withApiKeys(List.of("secret")));
    client = client("secret");
  }

  private static OpenAIClient client(String key) {
    return OpenAIOkHttpClient.builder()
        .baseUrl(server.uri("/v1").toString())
        .apiKey(key)
        .maxRetries(0)
        .build();
  }

  @AfterAll
  static void stop() {
    if (client != null) {
      client.close();
    }
    if (server != null) {
      server.close();
    }
  }

  private static ChatCompletionCreateParams.Builder question() {
    return ChatCompletionCreateParams.builder()
        .model("stories")
        .addSystemMessage("Be brief.")
        .addUserMessage("Tell me a story.")
        .temperature(0)
        .maxCompletionTokens(16);
  }

  @Test
  void it_lists_the_models() {
    assertThat(client.models().list().data()).hasSize(1).allMatch(m -> m.id().equals("stories"));
    assertThat(client.models().retrieve("stories").id()).isEqualTo("stories");
  }

  @Test
  void it_chats_as_a_whole_and_in_pieces() {
    ChatCompletion whole = client.chat().completions().create(question().build());
    String text = whole.choices().getFirst().message().content().orElseThrow();
    assertThat(text).contains("there was");
    assertThat(whole.usage().orElseThrow().completionTokens()).isEqualTo(16);
    assertThat(whole.choices().getFirst().finishReason())
        .isEqualTo(ChatCompletion.Choice.FinishReason.LENGTH);
    List<ChatCompletionChunk> chunks = new ArrayList<>();
    try (StreamResponse<ChatCompletionChunk> stream =
        client
            .chat()
            .completions()
            .createStreaming(
                question()
                    .streamOptions(ChatCompletionStreamOptions.builder().includeUsage(true).build())
                    .build())) {
      stream.stream().forEach(chunks::add);
    }
    String streamed =
        chunks.stream()
            .flatMap(c -> c.choices().stream())
            .map(c -> c.delta().content().orElse(""))
            .collect(Collectors.joining());
    assertThat(streamed).isEqualTo(text);
    assertThat(chunks.getLast().usage().orElseThrow().completionTokens()).isEqualTo(16);
  }

  @Test
  void it_completes_a_text() {
    assertThat(
            client
                .completions()
                .create(
                    CompletionCreateParams.builder()
                        .model("stories")
                        .prompt("Once upon a time")
                        .temperature(0)
                        .maxTokens(10)
                        .build())
                .choices()
                .getFirst()
                .text())
        .startsWith(", there was");
  }

  /** What the model shall tell of a pet. */
  public static class Pet {
    /** Its kind. */
    public Kind kind = Kind.DOG;

    /** Whether it is old. */
    public boolean old;
  }

  /** Kinds of pets. */
  public enum Kind {
    DOG,
    CAT
  }

  @Test
  void it_gets_an_object_of_its_own_class() {
    var params = question().maxCompletionTokens(200).responseFormat(Pet.class).build();
    Pet pet =
        client
            .chat()
            .completions()
            .create(params)
            .choices()
            .getFirst()
            .message()
            .content()
            .orElseThrow();
    assertThat(pet.kind).isNotNull();
  }

  @Test
  void it_understands_refusals() {
    assertThatThrownBy(() -> client.chat().completions().create(question().model("gpt-4o").build()))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("there is no model");
    assertThatThrownBy(() -> client.chat().completions().create(question().n(99).build()))
        .isInstanceOf(BadRequestException.class)
        .hasMessageContaining("n: must be 1 to 16");
    OpenAIClient stranger = client("wrong");
    assertThatThrownBy(() -> stranger.models().list()).isInstanceOf(UnauthorizedException.class);
    stranger.close();
  }
}
