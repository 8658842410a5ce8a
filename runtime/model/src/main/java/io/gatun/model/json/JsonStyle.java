package io.gatun.model.json;

/**
 * How JSON is written.
 *
 * @param itemSeparator between members and between items, such as {@code ", "}
 * @param nameSeparator between a name and its value, such as {@code ": "}
 * @param indent spaces for each level with a line for each item; -1 for everything on one line
 * @param asciiOnly whether everything beyond ASCII is written as an escape
 */
public record JsonStyle(String itemSeparator, String nameSeparator, int indent, boolean asciiOnly) {
  /** As short as can be. */
  public static final JsonStyle COMPACT = new JsonStyle(",", ":", -1, false);

  /** As Python's {@code json.dumps(x, ensure_ascii=False)} writes it. */
  public static final JsonStyle PYTHON = new JsonStyle(", ", ": ", -1, false);

  /** A line for each item, as Python's {@code json.dumps(x, indent=n, ensure_ascii=False)}. */
  public static JsonStyle indented(int spaces) {
    return new JsonStyle(",", ": ", spaces, false);
  }

  public JsonStyle {
    if (indent < -1 || indent > 64) {
      throw new IllegalArgumentException("an indent of " + indent + " is not within -1..64");
    }
  }
}
