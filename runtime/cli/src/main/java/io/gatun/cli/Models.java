package io.gatun.cli;

import io.gatun.hub.ModelReference;
import io.gatun.hub.ModelStore;
import io.gatun.hub.StoredModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Turns what a person calls a model into a file. */
final class Models {
  private Models() {}

  /**
   * The file of a model: a path as it is, a reference by the store, which fetches what is not there
   * yet and asks nobody when it is.
   *
   * @throws io.gatun.hub.HubException when it cannot be fetched
   */
  static Path file(String named) {
    if (!ModelReference.isReference(named) || Files.exists(Path.of(named))) {
      return Path.of(named);
    }
    ModelReference reference = ModelReference.parse(named);
    ModelStore store = ModelStore.ofUser();
    Optional<StoredModel> here = store.find(reference);
    if (here.isPresent()) {
      return here.get().file();
    }
    Console.note("fetching " + reference);
    try (PullProgress progress = new PullProgress()) {
      return store.pull(reference, Optional.empty(), false, progress).file();
    }
  }

  /** The stored model of a reference, or of the name of its file. */
  static Optional<StoredModel> stored(ModelStore store, String named) {
    if (ModelReference.isReference(named)) {
      return store.find(ModelReference.parse(named));
    }
    List<StoredModel> fitting =
        store.list().stream().filter(m -> named.equals(m.file().getFileName().toString())).toList();
    if (fitting.size() > 1) {
      throw new IllegalArgumentException(
          "%s is the file of %s; name one of these"
              .formatted(named, fitting.stream().map(StoredModel::reference).toList()));
    }
    return fitting.stream().findFirst();
  }
}
