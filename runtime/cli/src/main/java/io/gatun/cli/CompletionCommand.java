package io.gatun.cli;

import org.jspecify.annotations.Nullable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code gatun completion}: a script that teaches a shell the commands. */
@Command(
    name = "completion",
    description = "Prints completion for bash and zsh: source <(gatun completion)",
    mixinStandardHelpOptions = true)
public final class CompletionCommand implements CliCommand {
  @Spec @Nullable CommandSpec spec;

  @Override
  public Integer call() {
    if (spec == null) {
      throw new IllegalStateException("picocli did not say which command this is");
    }
    CommandLine root = spec.root().commandLine();
    Console.print(AutoComplete.bash(root.getCommandName(), root));
    return 0;
  }
}
