package io.gatun.server.generate;

import io.gatun.LanguageModel;
import io.gatun.model.UnsupportedModelException;
import io.gatun.model.Vocabulary;
import io.gatun.model.chat.ChatTemplate;
import io.gatun.model.chat.Conversation;
import io.gatun.model.template.TemplateException;
import io.gatun.server.http.ApiException;
import io.gatun.server.http.ApiException.Reason;
import java.util.OptionalInt;

/** Makes prompts, no longer than allowed. */
public final class Prompts {
  private final int tokensMax;

  /**
   * @param tokensMax the longest prompt, whatever a model's context holds
   */
  public Prompts(int tokensMax) {
    this.tokensMax = tokensMax;
  }

  /** The prompt of a conversation. */
  public int[] of(Conversation conversation, LanguageModel model) {
    ChatTemplate template = template(model);
    try {
      return limited(template.encode(conversation, model.model().vocabulary()), model, "messages");
    } catch (TemplateException e) {
      throw refused(e);
    }
  }

  /** The text of a conversation's prompt. */
  public String text(Conversation conversation, LanguageModel model) {
    ChatTemplate template = template(model);
    try {
      return template.render(conversation);
    } catch (TemplateException e) {
      throw refused(e);
    }
  }

  private static ApiException refused(TemplateException e) {
    return ApiException.field(
        "messages", "the model's chat template refuses them: " + e.getMessage());
  }

  private static ChatTemplate template(LanguageModel model) {
    try {
      return model.chatTemplate();
    } catch (UnsupportedModelException e) {
      throw ApiException.of(
              Reason.INVALID, "the model has no chat template; it completes texts only")
          .withCode("no_chat_template");
    }
  }

  /** The prompt of a plain text: names of special tokens in it are text. */
  public int[] of(String text, LanguageModel model) {
    Vocabulary vocabulary = model.model().vocabulary();
    int[] tokens = vocabulary.encode(text, true, false);
    if (tokens.length == 0) {
      OptionalInt begin = vocabulary.beginToken();
      int only = begin.orElse(vocabulary.endToken().orElse(-1));
      if (only < 0) {
        throw ApiException.field("prompt", "must not be empty for this model");
      }
      tokens = new int[] {only};
    }
    return limited(tokens, model, "prompt");
  }

  /**
   * A prompt that is not too long.
   *
   * @param field that it came by
   */
  public int[] limited(int[] tokens, LanguageModel model, String field) {
    // One place has to be left for an answer.
    int most = Math.min(tokensMax, model.engine().contextTokens() - 1);
    if (tokens.length > most) {
      throw ApiException.field(
              field, "the prompt has %d tokens, at most %d fit".formatted(tokens.length, most))
          .withCode("context_length_exceeded");
    }
    return tokens;
  }
}
