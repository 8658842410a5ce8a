package io.gatun.cli;

import io.gatun.hub.ModelStore;
import io.gatun.hub.StoredModel;
import io.gatun.model.MemoryPlan;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tools.jackson.databind.json.JsonMapper;

/** {@code gatun list}: the models that were fetched. */
@Command(
    name = "list",
    description = "Lists the models that were fetched: size, day, name.",
    mixinStandardHelpOptions = true)
public final class ListCommand implements CliCommand {
  @Option(names = "--json", description = "As JSON, with files and checksums.")
  boolean json;

  @Override
  public Integer call() {
    ModelStore store = ModelStore.ofUser();
    List<StoredModel> models = store.list();
    if (json) {
      Console.println(
          JsonMapper.shared()
              .writerWithDefaultPrettyPrinter()
              .writeValueAsString(models.stream().map(ListCommand::asMap).toList()));
      return 0;
    }
    for (StoredModel model : models) {
      Console.println(
          "%10s  %s  %s"
              .formatted(
                  MemoryPlan.show(model.bytes()),
                  model.fetched().toString().substring(0, 10),
                  model.reference()));
    }
    if (models.isEmpty()) {
      Console.note("no models in %s; gatun pull fetches one".formatted(store.folder()));
    }
    return 0;
  }

  private static Map<String, Object> asMap(StoredModel model) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("reference", model.reference());
    map.put("files", model.files().stream().map(Object::toString).toList());
    map.put("bytes", model.bytes());
    map.put("sha256", model.sha256());
    map.put("fetched", model.fetched().toString());
    return map;
  }
}
