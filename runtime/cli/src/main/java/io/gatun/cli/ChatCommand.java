package io.gatun.cli;

import io.gatun.AnswerStream;
import io.gatun.ChatSession;
import io.gatun.GenerateOptions;
import io.gatun.LanguageModel;
import io.gatun.bindings.GatunException;
import io.gatun.engine.FinishReason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
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
          sampling.options(loaded.model().vocabulary()).withAdapters(adapters.load(loaded));
      ChatSession.Opening opening = loaded.chat().options(options).overflow(overflow());
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
            answer(chat, line, terminal);
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

  private static void answer(ChatSession chat, String line, Terminal terminal) {
    Terminal.SignalHandler before = terminal.handle(Terminal.Signal.INT, _ -> {});
    try (AnswerStream stream = chat.send(line)) {
      var _ = terminal.handle(Terminal.Signal.INT, _ -> stream.cancel());
      for (String piece : stream) {
        terminal.writer().print(piece);
        terminal.flush();
      }
      terminal.writer().println();
      if (stream.finishReason() == FinishReason.CONTEXT_FULL) {
        terminal.writer().println("(the context is full; /clear forgets the conversation)");
      }
      terminal.flush();
    } catch (io.gatun.tensor.CapacityException e) {
      terminal.writer().println("(" + e.getMessage() + "; /clear forgets the conversation)");
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
