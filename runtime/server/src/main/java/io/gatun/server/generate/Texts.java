package io.gatun.server.generate;

import io.gatun.GenerateOptions;
import io.gatun.LanguageModel;
import io.gatun.server.http.ApiException;
import io.gatun.server.http.Exchange;
import io.gatun.server.http.Fields;
import io.gatun.server.models.ModelKind;
import io.gatun.server.models.ModelUse;
import io.gatun.server.models.ServedModels;
import java.io.IOException;
import java.util.List;

/**
 * What every address that generates texts needs. Thread-safe.
 *
 * @param prompts makes prompts within the server's limits
 * @param listener sees what is generated
 */
public record Texts(ServedModels models, Prompts prompts, GenerationListener listener) {
  /** The model that a request names, for as long as the result is open. */
  public ModelUse use(Fields body) throws IOException, InterruptedException {
    return models.use(body.text("model"), ModelKind.TEXT);
  }

  /** What reads the choices of a request. */
  public interface Answering {
    void answer(Choices choices) throws InterruptedException;
  }

  /**
   * Generates. A client that leaves stops it.
   *
   * @throws ApiException when what was generated is of no use
   */
  public void generate(Exchange exchange, ModelUse use, List<TextPlan> plans, Answering answering)
      throws InterruptedException {
    GenerationTimes times = new GenerationTimes(use.name(), listener);
    try (Choices choices = Choices.start(use.text(), plans, times);
        Exchange.Watch _ = exchange.watch(choices::cancel)) {
      answering.answer(choices);
    }
  }

  /** What reads the answers to a conversation. */
  public interface ChatAnswering {
    void answer(ChatRun run) throws InterruptedException;
  }

  /** {@link #generate} of answers to a conversation. */
  public void chat(Exchange exchange, ModelUse use, ChatPlan plan, ChatAnswering answering)
      throws InterruptedException {
    LanguageModel model = use.text();
    int[] prompt = prompts.of(plan.conversation(), model);
    GenerateOptions options = plan.options().withShown(model.replyMarks());
    ReplyReaders readers = ReplyReaders.of(model, prompt, plan, options.grammar().isPresent());
    generate(
        exchange,
        use,
        List.of(new TextPlan(prompt, options, plan.choices())),
        choices -> answering.answer(new ChatRun(choices, readers, plan.choices())));
  }
}
