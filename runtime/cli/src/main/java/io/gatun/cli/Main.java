package io.gatun.cli;

import io.gatun.tensor.ThreadCount;
import java.util.List;
import java.util.Locale;
import java.util.ServiceLoader;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The program: finds the subcommands and turns failures into one line and an exit code. */
@Command(
    name = "gatun",
    description = "Runs GGUF language models on this machine.",
    version = "gatun 0.1.0-SNAPSHOT",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    footer = {"", "gatun COMMAND --help tells more about one."})
public final class Main {
  private boolean verbose;

  private Main() {}

  @Option(
      names = "--verbose",
      scope = CommandLine.ScopeType.INHERIT,
      description = "Print what the libraries log, and on failure the stack trace.")
  void verbose(boolean on) {
    verbose = on;
    CommandLog.verbose(on);
  }

  /** Ends the process with the command's exit code: 0 fine, 1 failed, 2 wrong usage. */
  public static void main(String[] args) {
    ThreadCount.watch();
    // Numbers look the same everywhere, for scripts that read them.
    Locale.setDefault(Locale.Category.FORMAT, Locale.ROOT);
    int code = Arguments.readable(args) ? run(args) : Failures.unreadable();
    if (code == 0) {
      code = Console.finish();
    }
    Runtime.getRuntime().exit(code);
  }

  /** Runs a command line and returns its exit code. */
  static int run(String... args) {
    Main main = new Main();
    CommandLine commands = commands(main, args.length == 0 ? "" : args[0]);
    commands.setCaseInsensitiveEnumValuesAllowed(true);
    commands.setOut(Console.writer());
    commands.setErr(Console.errorWriter());
    commands.setUsageHelpAutoWidth(true);
    commands.setParameterExceptionHandler(Failures::usage);
    commands.setExecutionExceptionHandler(
        (failure, _, _) -> Failures.report(failure, main.verbose));
    if (args.length == 0) {
      commands.usage(Console.writer());
      return 2;
    }
    try {
      return commands.execute(args);
    } catch (OutOfMemoryError e) {
      return Failures.report(e, main.verbose); // picocli passes on exceptions only
    }
  }

  /** The program with all its subcommands. */
  static CommandLine commands() {
    return commands(new Main(), "");
  }

  /**
   * The program with its subcommands; reading the options of all of them takes longer than reading
   * a model, so if only one is meant, the others are left out.
   */
  private static CommandLine commands(Main main, String meant) {
    CommandLine commands = new CommandLine(main);
    List<ServiceLoader.Provider<CliCommand>> providers =
        ServiceLoader.load(CliCommand.class, CliCommand.class.getClassLoader()).stream().toList();
    for (ServiceLoader.Provider<CliCommand> provider : providers) {
      if (provider.type().getSimpleName().equals(className(meant))) {
        commands.addSubcommand(provider.get());
        return commands;
      }
    }
    providers.forEach(provider -> commands.addSubcommand(provider.get()));
    commands.addSubcommand(new CommandLine.HelpCommand());
    return commands;
  }

  /** By convention: {@code warm-up} is {@code WarmUpCommand}. */
  private static String className(String command) {
    StringBuilder name = new StringBuilder();
    for (int i = 0; i < command.length(); i++) {
      boolean first = i == 0 || command.charAt(i - 1) == '-';
      name.append(first ? Character.toUpperCase(command.charAt(i)) : command.charAt(i));
    }
    int dash = name.indexOf("-");
    while (dash >= 0) {
      dash = name.deleteCharAt(dash).indexOf("-");
    }
    return name.append("Command").toString();
  }
}
