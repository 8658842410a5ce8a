package io.gatun.model.chat.reply;

/** A format in which a family of models writes its replies. Immutable. */
interface ReplyFormat {
  /** For people. */
  String label();

  /**
   * Whether models with this chat template write so: templates show calls of earlier messages as
   * the model is to write them.
   */
  boolean belongsTo(String template);

  ReplySyntax syntax();

  /**
   * What a reply begins with.
   *
   * @param prompt what the model was given; it may end in the middle of reasoning
   */
  default ReplyPart begin(ReplyScope scope, String prompt) {
    if (scope.separateReasoning()) {
      String end = prompt.stripTrailing();
      for (Thinking thinking : syntax().thinking()) {
        if (!scope.begun() && end.endsWith(thinking.begin())) {
          return scope.think(thinking);
        }
      }
      if (scope.begunReasoning().isPresent() && !syntax().thinking().isEmpty()) {
        return new ReasoningPart(scope.inReasoning(syntax().thinking().getFirst()));
      }
    }
    return new ContentPart(!scope.begun());
  }
}
