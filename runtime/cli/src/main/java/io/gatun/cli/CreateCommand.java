package io.gatun.cli;

import io.gatun.adapters.training.BpeTrainer;
import io.gatun.adapters.training.NewModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code gatun create}: a model with random weights and a learned vocabulary, to be trained. */
@Command(
    name = "create",
    description =
        "Writes a Llama model with random weights and a vocabulary learned from text, to be trained.",
    mixinStandardHelpOptions = true)
public final class CreateCommand implements CliCommand {
  @CommandLine.Parameters(index = "0", paramLabel = "FILE", description = "The GGUF file to write.")
  Path file = Path.of("");

  @Option(
      names = {"-f", "--data"},
      required = true,
      paramLabel = "FILE",
      description = "Text to learn the vocabulary from; several files may be given.")
  List<Path> data = List.of();

  @Option(
      names = "--vocabulary",
      paramLabel = "N",
      description = "Tokens (default: ${DEFAULT-VALUE}).")
  int vocabulary = 2048;

  @Option(names = "--width", paramLabel = "E", description = "Default: ${DEFAULT-VALUE}.")
  int width = 256;

  @Option(names = "--layers", paramLabel = "L", description = "Default: ${DEFAULT-VALUE}.")
  int layers = 6;

  @Option(names = "--heads", paramLabel = "H", description = "Default: ${DEFAULT-VALUE}.")
  int heads = 8;

  @Option(names = "--kv-heads", paramLabel = "G", description = "Default: ${DEFAULT-VALUE}.")
  int kvHeads = 4;

  @Option(names = "--feed-forward", paramLabel = "F", description = "Default: ${DEFAULT-VALUE}.")
  int feedForward = 768;

  @Option(names = "--context", paramLabel = "N", description = "Default: ${DEFAULT-VALUE}.")
  int context = 512;

  @Option(names = "--name", paramLabel = "TEXT", description = "What it is called.")
  String name = "new model";

  @Option(names = "--seed", paramLabel = "N", description = "Default: ${DEFAULT-VALUE}.")
  long seed = 1;

  @Override
  public Integer call() throws IOException {
    StringBuilder text = new StringBuilder();
    for (Path source : data) {
      text.append(Files.readString(source).replace("<|endoftext|>", "\n"));
    }
    // One token more ends texts.
    BpeTrainer.Bpe learned = BpeTrainer.learn(text.toString(), vocabulary - 1);
    new NewModel(width, layers, heads, kvHeads, feedForward, context)
        .write(file, name, learned, seed);
    Console.println("%s: %d tokens, %d layers".formatted(file, vocabulary, layers));
    return 0;
  }
}
