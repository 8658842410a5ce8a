package io.gatun.cli;

import io.gatun.AnswerStream;
import io.gatun.GenerateOptions;
import io.gatun.LanguageModel;
import io.gatun.TokenStream;
import io.gatun.engine.ContextPolicy;
import io.gatun.engine.FinishReason;
import io.gatun.engine.GenerateRequest;
import io.gatun.engine.Generation;
import io.gatun.engine.Usage;
import io.gatun.model.MemoryPlan;
import io.gatun.model.chat.ChatMessage;
import io.gatun.model.chat.Conversation;
import io.gatun.tensor.ThreadCount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code gatun run}: streams a completion. */
@Command(
    name = "run",
    description = {
      "Completes a text and prints it as it is generated.",
      "Without a model, a small one that comes with Gatun tells a story."
    },
    mixinStandardHelpOptions = true)
public final class RunCommand implements CliCommand {
  /** What the shipped model goes on with when nothing is asked. */
  private static final String BEGINNING = "Once upon a time";

  @Mixin ModelOptions model = new ModelOptions();
  @Mixin SamplingOptions sampling = new SamplingOptions();
  @Mixin AdapterOptions adapters = new AdapterOptions();
  @Mixin GrammarOptions grammar = new GrammarOptions();
  @Mixin AnswerOptions answers = new AnswerOptions();

  @Option(
      names = {"-p", "--prompt"},
      paramLabel = "TEXT",
      description = "The text to complete (default: standard input).")
  @Nullable String prompt;

  @Option(
      names = {"-f", "--file"},
      paramLabel = "FILE",
      description = "Read the text to complete from a file.")
  @Nullable Path file;

  @Option(names = "--chat", description = "The text is a message; print the model's answer.")
  boolean chat;

  @Option(
      names = "--special",
      description = "Text like <|im_end|> in the prompt becomes the token of that name.")
  boolean special;

  @Option(
      names = "--ids",
      paramLabel = "IDS",
      split = ",",
      description = "The prompt as token ids; prints ids. For models without a vocabulary.")
  List<Integer> ids = List.of();

  @Option(
      names = "--context-policy",
      paramLabel = "POLICY",
      description = {
        "What happens when the context is full: stop (default), shift[:KEEP] forgets half",
        "of what is behind the first tokens, sinks[:SINKS,WINDOW] keeps the first and a window",
        "of the last, heavy[:SINKS,TOKENS] also those that got most attention."
      })
  String contextPolicy = "stop";

  @Option(names = "--echo", description = "Print the prompt too.")
  boolean echo;

  @Option(names = "--stats", description = "Print tokens and times to standard error.")
  boolean stats;

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (!ids.isEmpty()) {
      return runIds();
    }
    boolean shipped = model.useShipped();
    String text = shipped ? beginning() : text();
    try (LanguageModel loaded = model.load()) {
      GenerateOptions options =
          grammar.apply(
              sampling
                  .options(loaded.model().vocabulary())
                  .withParseSpecial(special)
                  .withContextPolicy(ContextPolicy.named(contextPolicy))
                  .withAdapters(adapters.load(loaded)));
      if (echo || (shipped && prompt == null && file == null)) {
        Console.print(text);
      }
      if (chat) {
        answer(loaded, text, options);
      } else {
        complete(loaded, text, options);
      }
    }
    return 0;
  }

  private void complete(LanguageModel loaded, String text, GenerateOptions options) {
    try (TokenStream stream = loaded.stream(text, options)) {
      stream.forEach(Console::print);
      Console.println("");
      if (stats) {
        report(loaded, stream.usage(), stream.finishReason());
      }
    }
  }

  private void answer(LanguageModel loaded, String text, GenerateOptions options)
      throws IOException {
    Conversation conversation =
        Conversation.of(List.of(ChatMessage.user(text)))
            .withTools(answers.tools())
            .withVariables(answers.variables());
    AnswerPrinter printer = answers.printer(Console::print, false, Console.interactive());
    try (AnswerStream stream = loaded.answer(conversation, options)) {
      printer.print(stream);
      if (stats) {
        report(loaded, stream.usage(), stream.finishReason());
      }
    }
  }

  private int runIds() throws InterruptedException {
    try (LanguageModel loaded = model.load()) {
      GenerateOptions options = sampling.options(loaded.model().vocabulary());
      GenerateRequest request =
          GenerateRequest.of(ids.stream().mapToInt(Integer::intValue).toArray())
              .withSampling(options.sampling())
              .withMaxTokens(options.maxTokens())
              .withAdapters(adapters.load(loaded))
              .withContextPolicy(ContextPolicy.named(contextPolicy));
      Generation generation = loaded.engine().submit(request);
      for (var token = generation.next(); token.isPresent(); token = generation.next()) {
        Console.print(token.get().id() + " ");
      }
      Console.println("");
      if (stats) {
        report(loaded, generation.usage(), generation.finishReason());
      }
    }
    return 0;
  }

  /** What the shipped model goes on with. */
  private String beginning() throws IOException {
    if (prompt == null && file == null && Console.interactive()) {
      return BEGINNING;
    }
    String text = text();
    return text.isBlank() ? BEGINNING : text;
  }

  private String text() throws IOException {
    if (prompt != null) {
      return prompt;
    }
    if (file != null) {
      return Texts.of(file);
    }
    if (Console.interactive()) {
      throw new IllegalArgumentException(
          "what shall be completed? Give a text with -p, pipe one in, or use gatun chat");
    }
    String piped = Texts.ofStandardInput();
    return piped.endsWith("\n") ? piped.substring(0, piped.length() - 1) : piped;
  }

  private static void report(LanguageModel loaded, Usage usage, FinishReason reason) {
    Console.note(loaded.model().summary());
    ThreadCount threads = loaded.engine().threadCount();
    Console.note(
        "%d %s: %s"
            .formatted(
                threads.threads(),
                threads.threads() == 1 ? "thread" : "threads",
                threads.reason()));
    Console.note(
        "prompt %d tokens, %.1f/s; completion %d tokens, %.1f/s%s; ended: %s; peak memory: %s"
            .formatted(
                usage.promptTokens(),
                usage.prefillTokensPerSecond(),
                usage.completionTokens(),
                usage.decodeTokensPerSecond(),
                usage.forgottenTokens() == 0
                    ? ""
                    : "; forgotten %d tokens".formatted(usage.forgottenTokens()),
                reason,
                peakMemory()));
  }

  /** The most memory that this process had at once, mapped weights included. */
  private static String peakMemory() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
        if (line.startsWith("VmHWM:")) {
          return MemoryPlan.show(1024 * Long.parseLong(line.replaceAll("\\D", "")));
        }
      }
    } catch (IOException | NumberFormatException notLinux) {
      // Only Linux tells it in this way.
    }
    return "unknown";
  }
}
