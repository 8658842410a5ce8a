package io.gatun.model.template;

/** HTML escapes, as markupsafe writes them. */
final class Html {
  private Html() {}

  static String escaped(Value.Str value, Budget budget) {
    return value.safe() ? value.text() : escaped(value.text(), budget);
  }

  static String escaped(String text, Budget budget) {
    budget.chars(text.length() * 6L);
    return text.replace("&", "&amp;")
        .replace(">", "&gt;")
        .replace("<", "&lt;")
        .replace("'", "&#39;")
        .replace("\"", "&#34;");
  }
}
