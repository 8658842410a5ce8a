package io.gatun.server.generate;

import io.gatun.Adapters;
import io.gatun.engine.AdapterUse;
import io.gatun.model.json.JsonValue;
import io.gatun.server.http.ApiException;
import io.gatun.server.http.Fields;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;

/**
 * Reads which adapters act: {@code "adapter": "pirate"}, {@code {"name": "pirate", "scale": 0.5}},
 * or an array of these.
 */
final class AdapterFields {
  private static final int ADAPTERS_MAX = 16;
  private static final double SCALE_MAX = 1000;

  private AdapterFields() {}

  static List<AdapterUse> read(Fields fields, Adapters adapters) {
    Optional<JsonValue> given = fields.any("adapter");
    String path = fields.path("adapter");
    if (given.isEmpty()) {
      return List.of();
    }
    if (!(given.get() instanceof JsonValue.Items)) {
      return List.of(use(given.get(), path, adapters));
    }
    List<AdapterUse> uses = new ArrayList<>();
    for (JsonValue item : Fields.items(given.get(), path, ADAPTERS_MAX)) {
      uses.add(use(item, "%s[%d]".formatted(path, uses.size()), adapters));
    }
    return uses;
  }

  private static AdapterUse use(JsonValue value, String path, Adapters adapters) {
    if (value instanceof JsonValue.Text(String name)) {
      return use(name, 1, path, adapters);
    }
    Fields fields = Fields.of(value, path);
    String name = fields.requiredText("name");
    double scale = fields.number("scale", -SCALE_MAX, SCALE_MAX).orElse(1);
    fields.end();
    return use(name, scale, path, adapters);
  }

  private static AdapterUse use(String name, double scale, String path, Adapters adapters) {
    try {
      return new AdapterUse(adapters.get(name), (float) scale);
    } catch (NoSuchElementException e) {
      throw ApiException.field(path, "the model has no adapter of this name")
          .withCode("adapter_not_found");
    }
  }
}
