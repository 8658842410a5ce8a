package io.gatun.cli;

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
  @Option(
      names = "--verbose",
      scope = CommandLine.ScopeType.INHERIT,
      description = "On failure, print the stack trace.")
  private boolean verbose;

  private Main() {}

  /** Ends the process with the command's exit code: 0 fine, 1 failed, 2 wrong usage. */
  public static void main(String[] args) {
    // Numbers look the same everywhere, for scripts that read them.
    Locale.setDefault(Locale.Category.FORMAT, Locale.ROOT);
    int code = run(args);
    Console.out().flush();
    Runtime.getRuntime().exit(code);
  }

  /** Runs a command line and returns its exit code. */
  static int run(String... args) {
    Main main = new Main();
    CommandLine commands = new CommandLine(main);
    for (CliCommand command :
        ServiceLoader.load(CliCommand.class, CliCommand.class.getClassLoader())) {
      commands.addSubcommand(command);
    }
    commands.addSubcommand(new CommandLine.HelpCommand());
    commands.setCaseInsensitiveEnumValuesAllowed(true);
    commands.setOut(Console.writer());
    commands.setErr(Console.errorWriter());
    commands.setUsageHelpAutoWidth(true);
    commands.setParameterExceptionHandler(Failures::usage);
    commands.setExecutionExceptionHandler(
        (failure, line, _) -> Failures.report(failure, line, main.verbose));
    if (args.length == 0) {
      commands.usage(Console.writer());
      return 2;
    }
    return commands.execute(args);
  }
}
