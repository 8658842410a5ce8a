package io.gatun.model.template;

import java.util.HashMap;
import java.util.Map;

/** All filters by name. */
final class Filters {
  static final Map<String, Builtin> ALL = new HashMap<>();

  static {
    ALL.putAll(TextFilters.ALL);
    ALL.putAll(NumberFilters.ALL);
    ALL.putAll(ListFilters.ALL);
    ALL.putAll(OrderFilters.ALL);
    ALL.putAll(ChoiceFilters.ALL);
    ALL.putAll(JsonFilters.ALL);
  }

  private Filters() {}
}
