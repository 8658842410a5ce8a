package io.gatun.cli;

import io.gatun.hub.HubOptions;
import io.gatun.hub.ModelReference;
import io.gatun.hub.ModelStore;
import io.gatun.hub.StoredModel;
import io.gatun.model.MemoryPlan;
import java.net.URI;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gatun pull}: fetches a model to where other commands find it by the same name. */
@Command(
    name = "pull",
    description = {
      "Fetches a model, checks it and keeps it; run, chat and others then take it by the same"
          + " name.",
      "What an interrupted download has fetched is kept, and the next one goes on from there."
    },
    mixinStandardHelpOptions = true)
public final class PullCommand implements CliCommand {
  @Parameters(
      paramLabel = "MODEL",
      description = {
        "hf.co/OWNER/REPO, with :QUANTIZATION such as :Q4_K_M, @REVISION or /FILE.gguf behind it;",
        "or https://HOST/…/FILE.gguf."
      })
  String model = "";

  @Option(
      names = "--sha256",
      paramLabel = "HEX",
      description = "The checksum the file must have (the hub says its own).")
  @Nullable String sha256;

  @Option(
      names = "--endpoint",
      paramLabel = "URL",
      description = "Another hub (default: $GATUN_HUB_ENDPOINT, $HF_ENDPOINT, or the public one).")
  @Nullable URI endpoint;

  @Option(names = "--again", description = "Fetch it even if it is here.")
  boolean again;

  @Override
  public Integer call() {
    ModelReference reference = ModelReference.parse(model);
    HubOptions options = HubOptions.ofEnvironment(System.getenv());
    ModelStore store =
        ModelStore.in(
            ModelStore.ofUser().folder(),
            endpoint == null ? options : options.withEndpoint(endpoint));
    try (PullProgress progress = new PullProgress()) {
      StoredModel stored = store.pull(reference, checksum(), again, progress);
      progress.note("%s, %s".formatted(stored.reference(), MemoryPlan.show(stored.bytes())));
      Console.println(stored.file().toString());
    }
    return 0;
  }

  private Optional<String> checksum() {
    if (sha256 == null) {
      return Optional.empty();
    }
    String sum = sha256.toLowerCase(Locale.ROOT);
    if (!sum.matches("[0-9a-f]{64}")) {
      throw new IllegalArgumentException("--sha256: expected 64 hex digits, got " + sha256);
    }
    return Optional.of(sum);
  }
}
