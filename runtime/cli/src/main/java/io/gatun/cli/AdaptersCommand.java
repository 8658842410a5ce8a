package io.gatun.cli;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code gatun adapters}: looks into adapters and makes others of them. */
@Command(
    name = "adapters",
    description = "Inspects, merges, converts and combines LoRAs, soft prompts, control vectors.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    footer = {"", "gatun adapters COMMAND --help tells more about one."},
    subcommands = {
      AdaptersInspect.class,
      AdaptersMerge.class,
      AdaptersConvert.class,
      AdaptersCombine.class
    })
public final class AdaptersCommand implements CliCommand {
  @Spec @Nullable CommandSpec spec;

  @Override
  public Integer call() {
    CommandSpec command = Objects.requireNonNull(spec);
    throw new ParameterException(
        command.commandLine(), "name one of " + command.subcommands().keySet());
  }
}
