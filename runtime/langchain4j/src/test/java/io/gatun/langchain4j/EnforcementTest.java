package io.gatun.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonEnumSchema;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.output.FinishReason;
import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is declared is enforced, whatever the model would like to say. */
@Timeout(120)
class EnforcementTest {
  private static final ToolSpecification WEATHER =
      ToolSpecification.builder()
          .name("weather")
          .description("The weather")
          .parameters(
              JsonObjectSchema.builder()
                  .addProperty(
                      "city", JsonEnumSchema.builder().enumValues("Munich", "Paris").build())
                  .required("city")
                  .build())
          .build();

  private static Loaded loaded;

  @BeforeAll
  static void load() {
    loaded = new Loaded();
  }

  @AfterAll
  static void close() {
    if (loaded != null) {
      loaded.close();
    }
  }

  @Test
  void a_schema_holds_for_a_model_that_knows_nothing_of_json() {
    JsonSchema schema =
        JsonSchema.builder()
            .name("City")
            .rootElement(
                JsonObjectSchema.builder()
                    .addProperty(
                        "size", JsonEnumSchema.builder().enumValues("big", "small").build())
                    .addBooleanProperty("old")
                    .required("size", "old")
                    .build())
            .build();
    ResponseFormat format =
        ResponseFormat.builder().type(ResponseFormatType.JSON).jsonSchema(schema).build();
    ChatResponse response = chat(ChatRequest.builder().responseFormat(format));
    JsonValue.Members city = (JsonValue.Members) JsonReader.read(response.aiMessage().text());
    assertThat(city.text("size").orElseThrow()).isIn("big", "small");
    assertThat(city.get("old").orElseThrow()).isInstanceOf(JsonValue.Bool.class);
    assertThat(response.finishReason()).isEqualTo(FinishReason.STOP);
  }

  @Test
  void a_required_tool_is_called_with_arguments_of_its_schema() throws Exception {
    ChatResponse response =
        chat(
            ChatRequest.builder()
                .toolSpecifications(List.of(WEATHER))
                .toolChoice(ToolChoice.REQUIRED));
    ToolExecutionRequest call = response.aiMessage().toolExecutionRequests().getFirst();
    assertThat(call.name()).isEqualTo("weather");
    assertThat(call.arguments()).isIn("{\"city\":\"Munich\"}", "{\"city\":\"Paris\"}");
    assertThat(call.id()).isNotEmpty();
    assertThat(response.finishReason()).isEqualTo(FinishReason.TOOL_EXECUTION);
    assertThat(response.aiMessage().text()).isNull();
    AiMessage asked = response.aiMessage();
    ChatResponse answer =
        GatunChatModel.of(loaded.model, loaded.settings(ChatRequestParameters.builder().build()))
            .chat(
                List.of(
                    UserMessage.from("How is it?"),
                    asked,
                    ToolExecutionResultMessage.from(call, "sunny")));
    assertThat(answer.aiMessage().text()).isNotEmpty();
  }

  @Test
  void what_cannot_be_enforced_is_refused() {
    assertThatThrownBy(() ->
            chat(
                ChatRequest.builder()
                    .toolSpecifications(List.of(WEATHER))
                    .responseFormat(ResponseFormat.JSON)))
        .isInstanceOf(UnsupportedFeatureException.class)
        .hasMessageContaining("a response format together with tools");
    assertThatThrownBy(
            () -> GatunChatModel.of(loaded.model).chat(UserMessage.from("long ".repeat(9000))))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("context only 2048");
  }

  @Test
  void cancelling_a_stream_stops_the_native_decoding() throws Exception {
    CountDownLatch cancelled = new CountDownLatch(1);
    CompletableFuture<String> told = new CompletableFuture<>();
    GatunStreamingChatModel.of(loaded.model)
        .chat(
            List.of(UserMessage.from("Tell me a story")),
            new StreamingChatResponseHandler() {
              @Override
              public void onPartialResponse(PartialResponse piece, PartialResponseContext context) {
                context.streamingHandle().cancel();
                cancelled.countDown();
              }

              @Override
              public void onCompleteResponse(ChatResponse response) {
                told.complete("complete");
              }

              @Override
              public void onError(Throwable failure) {
                told.complete("error");
              }
            });
    cancelled.await();
    var _ = chat(ChatRequest.builder().maxOutputTokens(1)); // a step that sees the cancel
    assertThat(loaded.model.engine().statistics().freeCells()).isEqualTo(2048);
    assertThat(told).isNotDone();
  }

  @Test
  void scores_come_in_the_order_of_the_texts() {
    assertThatThrownBy(() ->
            GatunScoringModel.of(
                    io.gatun.Gatun.loadReranker(io.gatun.tests.kit.SharedFiles.stories()))
                .scoreAll(List.of(TextSegment.from("a")), "b"))
        .hasMessageContaining("no classifier");
  }

  private static ChatResponse chat(ChatRequest.Builder request) {
    return GatunChatModel.of(loaded.model, loaded.settings(ChatRequestParameters.builder().build()))
        .chat(request.messages(UserMessage.from("What is the weather?")).build());
  }
}
