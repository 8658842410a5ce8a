package io.gatun.cli;

import io.gatun.hub.HubException;
import io.gatun.hub.ModelReference;
import io.gatun.hub.ModelStore;
import io.gatun.hub.StoredModel;
import io.gatun.model.MemoryPlan;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code gatun rm}: deletes models that were fetched. */
@Command(
    name = "rm",
    description = "Deletes models that were fetched, by the names that gatun list shows.",
    mixinStandardHelpOptions = true)
public final class RmCommand implements CliCommand {
  @Parameters(arity = "1..*", paramLabel = "MODEL", description = "A reference or a file's name.")
  List<String> models = List.of();

  @Override
  public Integer call() {
    ModelStore store = ModelStore.ofUser();
    // All are looked up before any is deleted, so that a slip of the pen deletes nothing.
    List<StoredModel> found = models.stream().map(name -> find(store, name)).toList();
    for (StoredModel model : found) {
      long bytes = store.remove(ModelReference.parse(model.reference()));
      Console.note("deleted %s, %s".formatted(model.reference(), MemoryPlan.show(bytes)));
    }
    return 0;
  }

  private static StoredModel find(ModelStore store, String name) {
    return Models.stored(store, name)
        .orElseThrow(
            () -> new HubException("%s is not here; gatun list shows what is".formatted(name)));
  }
}
