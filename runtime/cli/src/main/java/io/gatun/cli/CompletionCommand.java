package io.gatun.cli;

import picocli.AutoComplete;
import picocli.CommandLine.Command;

/** {@code gatun completion}: a script that teaches a shell the commands. */
@Command(
    name = "completion",
    description = "Prints completion for bash and zsh: source <(gatun completion)",
    mixinStandardHelpOptions = true)
public final class CompletionCommand implements CliCommand {
  @Override
  public Integer call() {
    Console.print(AutoComplete.bash("gatun", Main.commands()));
    return 0;
  }
}
