package io.gatun.cli;

import io.gatun.AnswerStream;
import io.gatun.ChatSession;
import io.gatun.GenerateOptions;
import io.gatun.LanguageModel;
import io.gatun.bindings.GatunException;
import io.gatun.engine.FinishReason;
import io.gatun.model.chat.ChatMessage;
import io.gatun.model.template.TemplateException;
import io.gatun.tensor.CapacityException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.logging.LogManager;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code gatun chat}: a conversation on a terminal. */
@Command(
    name = "chat",
    description = "Talks with a model. Ctrl-C stops an answer, Ctrl-D ends; /help tells more.",
    mixinStandardHelpOptions = true)
public final class ChatCommand implements CliCommand {
  private static final String HELP =
      """
      /adapter FILE[=SCALE]  from now on this adapter acts; without a name, none does
      /clear  forget the conversation
      /quit   end (also Ctrl-D)
      Ctrl-C  stop the answer
      A line that ends with \\ goes on on the next one.\
      """;

  @Mixin ModelOptions model = new ModelOptions();
  @Mixin SamplingOptions sampling = new SamplingOptions();
  @Mixin AdapterOptions adapters = new AdapterOptions();
  @Mixin AnswerOptions answers = new AnswerOptions();
  @Mixin GrammarOptions grammar = new GrammarOptions();

  @Option(
      names = {"-s", "--system"},
      paramLabel = "TEXT",
      description = "Tells the model how to behave.")
  @Nullable String system;

  @Option(
      names = "--overflow",
      paramLabel = "POLICY",
      description = {
        "What happens when the conversation no longer fits into the context: error (default),"
            + " forget",
        "the oldest questions with their answers, or shift: the older half is forgotten, in answers"
            + " too."
      })
  String overflow = "error";

  @Override
  public Integer call() throws IOException {
    try (LanguageModel loaded = model.load()) {
      GenerateOptions options =
          grammar.apply(
              sampling.options(loaded.model().vocabulary()).withAdapters(adapters.load(loaded)));
      ChatSession.Opening opening =
          loaded
              .chat()
              .options(options)
              .overflow(overflow())
              .tools(answers.tools())
              .variables(answers.variables());
      if (system != null) {
        opening = opening.system(system);
      }
      LogManager.getLogManager().reset(); // JLine's warnings are about the terminal's comfort
      try (ChatSession chat = opening.open();
          Terminal terminal = TerminalBuilder.builder().name("gatun").system(true).build()) {
        talk(loaded, chat, terminal);
      }
    }
    return 0;
  }

  private ChatSession.Overflow overflow() {
    return switch (overflow) {
      case "error" -> ChatSession.Overflow.ERROR;
      case "forget" -> ChatSession.Overflow.FORGET_OLDEST;
      case "shift" -> ChatSession.Overflow.SHIFT;
      default ->
          throw new IllegalArgumentException(
              "--overflow must be error, forget or shift, got '%s'".formatted(overflow));
    };
  }

  private void talk(LanguageModel loaded, ChatSession chat, Terminal terminal) {
    LineReader reader =
        LineReaderBuilder.builder()
            .terminal(terminal)
            .variable(LineReader.HISTORY_FILE, history())
            .variable(LineReader.SECONDARY_PROMPT_PATTERN, "… ")
            .build();
    AnswerPrinter printer =
        answers.printer(
            text -> {
              terminal.writer().print(text);
              terminal.flush();
            },
            true,
            !terminal.getType().startsWith(Terminal.TYPE_DUMB));
    terminal.writer().println("/help tells more, Ctrl-D ends");
    while (true) {
      String line;
      try {
        line = reader.readLine("> ").strip();
      } catch (UserInterruptException stopped) {
        continue;
      } catch (EndOfFileException end) {
        return;
      }
      switch (line) {
        case "" -> {}
        case "/quit", "/exit" -> {
          return;
        }
        case "/clear" -> chat.clear();
        case "/help" -> terminal.writer().println(HELP);
        default -> {
          if (line.equals("/adapter") || line.startsWith("/adapter ")) {
            swap(loaded, chat, line.substring("/adapter".length()).strip(), terminal);
          } else {
            answer(() -> chat.send(line), printer, terminal);
            answerWithResults(chat, printer, reader, terminal);
          }
        }
      }
    }
  }

  private static void swap(
      LanguageModel loaded, ChatSession chat, String adapter, Terminal terminal) {
    try {
      var _ =
          chat.with(adapter.isEmpty() ? List.of() : List.of(AdapterOptions.load(loaded, adapter)));
    } catch (GatunException | IllegalArgumentException | UncheckedIOException e) {
      terminal.writer().println("(" + e.getMessage() + ")");
    }
  }

  /** Asks for what the tools gave that an answer called, and goes on with it. */
  private static void answerWithResults(
      ChatSession chat, AnswerPrinter printer, LineReader reader, Terminal terminal) {
    while (!chat.messages().isEmpty()) {
      List<ChatMessage.ToolCall> calls = chat.messages().getLast().toolCalls();
      if (calls.isEmpty()) {
        return;
      }
      List<ChatMessage> results = new ArrayList<>();
      try {
        for (ChatMessage.ToolCall call : calls) {
          String given = reader.readLine(call.name() + " gave> ");
          results.add(ChatMessage.tool(call.id(), call.name(), given));
        }
      } catch (UserInterruptException | EndOfFileException none) {
        return; // the call stays without an answer
      }
      answer(() -> chat.sendResults(results), printer, terminal);
    }
  }

  private static void answer(
      Supplier<AnswerStream> asking, AnswerPrinter printer, Terminal terminal) {
    Terminal.SignalHandler before = terminal.handle(Terminal.Signal.INT, _ -> {});
    try (AnswerStream stream = asking.get()) {
      var _ = terminal.handle(Terminal.Signal.INT, _ -> stream.cancel());
      printer.print(stream);
      if (stream.finishReason() == FinishReason.CONTEXT_FULL) {
        terminal.writer().println("(the context is full; /clear forgets the conversation)");
      }
      terminal.flush();
    } catch (CapacityException e) {
      terminal.writer().println("(" + e.getMessage() + "; /clear forgets the conversation)");
      terminal.flush();
    } catch (TemplateException e) {
      terminal.writer().println("(the model's chat template refuses: " + e.getMessage() + ")");
      terminal.flush();
    } finally {
      var _ = terminal.handle(Terminal.Signal.INT, before);
    }
  }

  private static Path history() {
    String state = System.getenv("XDG_STATE_HOME");
    Path folder =
        state != null && !state.isBlank()
            ? Path.of(state)
            : Path.of(System.getProperty("user.home"), ".local", "state");
    return folder.resolve("gatun").resolve("chat-history");
  }
}
