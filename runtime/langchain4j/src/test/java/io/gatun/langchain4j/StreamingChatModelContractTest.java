package io.gatun.langchain4j;

import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.common.AbstractStreamingChatModelIT;
import dev.langchain4j.model.chat.common.StreamingMode;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * LangChain4j's own tests of streaming chat models, as far as a model of 260 000 weights can pass
 * them.
 */
@ExtendWith(BeyondTinyModels.class)
class StreamingChatModelContractTest extends AbstractStreamingChatModelIT {
  private final Loaded loaded = new Loaded();

  /** Answers are told to handlers; publishers are LangChain4j's default, which has none. */
  @Override
  protected List<StreamingMode> streamingModes() {
    return List.of(StreamingMode.HANDLER);
  }

  @Override
  protected List<StreamingChatModel> baseModels() {
    return List.of(createModelWith(ChatRequestParameters.builder().build()));
  }

  @Override
  protected StreamingChatModel createModelWith(ChatRequestParameters parameters) {
    return GatunStreamingChatModel.of(loaded.model, loaded.settings(parameters));
  }

  @Override
  public StreamingChatModel createModelWith(ChatModelListener listener) {
    return GatunStreamingChatModel.of(
        loaded.model,
        loaded.settings(ChatRequestParameters.builder().build()).withListeners(List.of(listener)));
  }

  @Override
  protected ChatRequestParameters createIntegrationSpecificParameters(int maxOutputTokens) {
    return ChatRequestParameters.builder().maxOutputTokens(maxOutputTokens).build();
  }

  @Override
  protected boolean supportsModelNameParameter() {
    return false;
  }

  @Override
  protected boolean supportsToolsAndJsonResponseFormatWithSchema() {
    return false;
  }

  @Override
  protected boolean supportsSingleImageInputAsBase64EncodedString() {
    return false;
  }

  @Override
  protected boolean supportsMultipleImageInputsAsBase64EncodedStrings() {
    return false;
  }

  @Override
  protected boolean supportsSingleImageInputAsPublicURL() {
    return false;
  }

  @Override
  protected boolean supportsMultipleImageInputsAsPublicURLs() {
    return false;
  }

  @AfterAll
  void close() {
    loaded.close();
  }
}
