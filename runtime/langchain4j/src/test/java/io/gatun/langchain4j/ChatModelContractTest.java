package io.gatun.langchain4j;

import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.common.AbstractChatModelIT;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.extension.ExtendWith;

/** LangChain4j's own tests of chat models, as far as a model of 260 000 weights can pass them. */
@ExtendWith(BeyondTinyModels.class)
class ChatModelContractTest extends AbstractChatModelIT {
  private final Loaded loaded = new Loaded();

  @Override
  protected List<ChatModel> models() {
    return List.of(createModelWith(ChatRequestParameters.builder().build()));
  }

  @Override
  protected ChatModel createModelWith(ChatRequestParameters parameters) {
    return GatunChatModel.of(loaded.model, loaded.settings(parameters));
  }

  @Override
  protected boolean supportsChatAsync() {
    return true;
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
