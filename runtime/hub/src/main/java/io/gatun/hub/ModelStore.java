package io.gatun.hub;

import io.gatun.bindings.NativeCache;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The folder where fetched models lie: {@code hub/OWNER/REPO/REVISION/PATH} and {@code
 * url/HOST-HASH/NAME}. Processes may share it; each model is fetched by one of them at a time.
 * Thread-safe.
 */
public final class ModelStore {
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(20);

  private final Path folder;
  private final HubOptions options;

  private ModelStore(Path folder, HubOptions options) {
    this.folder = folder;
    this.options = options;
  }

  /** A store in a folder, which need not exist yet. */
  public static ModelStore in(Path folder, HubOptions options) {
    return new ModelStore(folder, options);
  }

  /** The user's own: {@code models} in Gatun's cache folder ({@code GATUN_CACHE_DIR}). */
  public static ModelStore ofUser() {
    return in(NativeCache.root().resolve("models"), HubOptions.ofEnvironment(System.getenv()));
  }

  /** Where it is. */
  public Path folder() {
    return folder;
  }

  /** All models that are here whole, by their references. */
  public List<StoredModel> list() {
    return list(folder);
  }

  private static List<StoredModel> list(Path below) {
    if (!Files.isDirectory(below)) {
      return List.of();
    }
    try (Stream<Path> files = Files.walk(below)) {
      List<StoredModel> models = new ArrayList<>();
      for (Path file : files.filter(f -> f.toString().endsWith(StoreRecord.SUFFIX)).toList()) {
        StoreRecord.read(file).ifPresent(models::add);
      }
      models.sort(Comparator.comparing(StoredModel::reference));
      return models;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + below + ": " + e.getMessage(), e);
    }
  }

  /** The model that a reference means, if it is here. Asks nobody. */
  public Optional<StoredModel> find(ModelReference reference) {
    return switch (reference) {
      case ModelReference.Address address -> record(target(address));
      case ModelReference.Hub hub -> find(hub);
    };
  }

  private Optional<StoredModel> find(ModelReference.Hub hub) {
    Path root = root(hub);
    List<RemoteFile> here = new ArrayList<>();
    for (StoredModel model : list(root)) {
      for (Path file : model.files()) {
        String path = root.relativize(file).toString().replace('\\', '/');
        here.add(new RemoteFile(path, 0, Optional.empty()));
      }
    }
    try {
      return here.isEmpty()
          ? Optional.empty()
          : record(root.resolve(FileChoice.choose(hub, here).getFirst().path()));
    } catch (HubException notHere) {
      return Optional.empty();
    }
  }

  /**
   * Fetches a model, or what is missing of it. What is here and the same as there is not fetched
   * again; an address is not asked again, unless {@code again}.
   *
   * @param sha256 the checksum to require, for a model of one file
   * @throws HubException when it does not exist, cannot be fetched, is not what it should be, or
   *     does not fit on the disk
   */
  public StoredModel pull(
      ModelReference reference, Optional<String> sha256, boolean again, DownloadListener listener) {
    try (Web web = new Web(options.token(), options.endpoint().getAuthority(), CONNECT_TIMEOUT)) {
      return switch (reference) {
        case ModelReference.Address address -> {
          Path target = target(address);
          Optional<StoredModel> here = record(target);
          if (here.isPresent() && !again && (sha256.isEmpty() || matches(here.get(), sha256))) {
            yield here.get();
          }
          Wanted wanted = new Wanted(address.uri(), target, -1, sha256);
          yield fetch(web, address.toString(), List.of(wanted), again, listener);
        }
        case ModelReference.Hub hub -> {
          Repository repository = new Repository(web, options.endpoint(), hub);
          List<RemoteFile> files = FileChoice.choose(hub, repository.files());
          if (sha256.isPresent() && files.size() != 1) {
            throw new HubException(
                "%s has %d files; a checksum can be required of one".formatted(hub, files.size()));
          }
          List<Wanted> wanted = new ArrayList<>();
          for (RemoteFile file : files) {
            wanted.add(
                new Wanted(
                    repository.content(file.path()),
                    root(hub).resolve(file.path()),
                    file.bytes(),
                    sha256.or(file::sha256)));
          }
          yield fetch(web, named(hub, files.getFirst()), wanted, again, listener);
        }
      };
    }
  }

  /**
   * Deletes a model, and what an unfinished download of it left.
   *
   * @return how many bytes that frees
   * @throws HubException when there is no such model
   */
  public long remove(ModelReference reference) {
    StoredModel model =
        find(reference)
            .orElseThrow(() ->
                new HubException("%s is not here; gatun list shows what is".formatted(reference)));
    try {
      Files.delete(StoreRecord.of(model.file())); // first, so that no half of a model is left
      for (Path file : model.files()) {
        var _ = Files.deleteIfExists(file);
        var _ = Files.deleteIfExists(lockOf(file));
        new PartFile(file, Optional.empty()).delete();
      }
      deleteEmptyFolders(model.file());
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot delete %s: %s".formatted(model.file(), e.getMessage()), e);
    }
    return model.bytes();
  }

  /** One file to fetch. */
  private record Wanted(URI uri, Path target, long bytes, Optional<String> sha256) {}

  private StoredModel fetch(
      Web web, String name, List<Wanted> wanted, boolean again, DownloadListener listener) {
    Path first = wanted.getFirst().target();
    try {
      Files.createDirectories(first.resolveSibling(""));
      try (FileChannel channel =
              FileChannel.open(lockOf(first), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
          FileLock _ = lock(channel, first, listener)) {
        Optional<StoredModel> here = record(first);
        List<String> sums = new ArrayList<>();
        for (int i = 0; i < wanted.size(); i++) {
          Wanted file = wanted.get(i);
          Optional<String> sum = again ? Optional.empty() : sum(here, i);
          if (sum.isPresent() && (file.sha256().isEmpty() || file.sha256().equals(sum))) {
            sums.add(sum.get());
            continue;
          }
          sums.add(
              new Download(web, options, listener)
                  .fetch(file.uri(), file.target(), file.bytes(), file.sha256()));
        }
        return keep(name, wanted, sums);
      }
    } catch (IOException e) {
      throw new HubException("cannot keep %s in %s: %s".formatted(name, folder, e.getMessage()), e);
    }
  }

  private static StoredModel keep(String name, List<Wanted> wanted, List<String> sums)
      throws IOException {
    long bytes = 0;
    for (Wanted file : wanted) {
      bytes += Files.size(file.target());
    }
    StoredModel model =
        new StoredModel(
            name,
            wanted.stream().map(Wanted::target).toList(),
            bytes,
            sums,
            Instant.now().truncatedTo(ChronoUnit.SECONDS));
    StoreRecord.write(model);
    return model;
  }

  private static Optional<String> sum(Optional<StoredModel> here, int part) {
    return here.filter(m -> part < m.sha256().size())
        .map(m -> m.sha256().get(part))
        .filter(s -> !s.isEmpty());
  }

  private static boolean matches(StoredModel model, Optional<String> sha256) {
    return model.sha256().size() == 1 && model.sha256().getFirst().equals(sha256.orElse(""));
  }

  /** Waits for another process that fetches the same. */
  private static FileLock lock(FileChannel channel, Path file, DownloadListener listener)
      throws IOException {
    try {
      FileLock lock = channel.tryLock();
      if (lock != null) {
        return lock;
      }
      listener.note(
          "%s: waiting for another process that fetches it".formatted(file.getFileName()));
      return channel.lock();
    } catch (OverlappingFileLockException e) {
      throw new IllegalStateException("this process fetches %s already".formatted(file), e);
    }
  }

  private static Path lockOf(Path file) {
    return file.resolveSibling(file.getFileName() + ".lock");
  }

  /** Folders above a deleted file that nothing is left in, up to the store's own. */
  private void deleteEmptyFolders(Path file) throws IOException {
    Path below = folder.relativize(file);
    for (int names = below.getNameCount() - 1; names > 0; names--) {
      Path at = folder.resolve(below.subpath(0, names));
      try (Stream<Path> entries = Files.list(at)) {
        if (entries.findAny().isPresent()) {
          return;
        }
      }
      Files.delete(at);
    }
  }

  private static Optional<StoredModel> record(Path first) {
    Path record = StoreRecord.of(first);
    try {
      return Files.exists(record) ? StoreRecord.read(record) : Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + record + ": " + e.getMessage(), e);
    }
  }

  /** The reference with what was chosen, so that a list tells models of one repository apart. */
  private static String named(ModelReference.Hub hub, RemoteFile file) {
    Optional<String> quantization =
        hub.path().isPresent() ? Optional.empty() : FileChoice.quantization(file.path());
    return new ModelReference.Hub(
            hub.owner(), hub.repository(), hub.revision(), quantization, hub.path())
        .toString();
  }

  private Path root(ModelReference.Hub hub) {
    return folder
        .resolve("hub")
        .resolve(hub.owner())
        .resolve(hub.repository())
        .resolve(hub.revision());
  }

  private Path target(ModelReference.Address address) {
    String hash = Sha256.of(address.uri().toString()).substring(0, 12);
    return folder
        .resolve("url")
        .resolve(address.uri().getHost() + "-" + hash)
        .resolve(address.fileName());
  }
}
