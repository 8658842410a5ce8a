package io.gatun.model.chat.reply;

import java.util.List;

/** A way to write tool calls. Immutable. */
interface CallForm {
  /** What calls of this form begin with; several forms may begin alike. */
  List<String> openers();

  /** What else belongs to the form: closing texts and separators. */
  List<String> marks();

  /** Whether such a call is only one where nothing stands before it. */
  default boolean onlyFirst() {
    return false;
  }

  /** Whether a call of this form begins where the text does. */
  Fit fits(Incoming in, ReplyScope scope);

  /** Reads the call, its opener too. */
  ReplyPart begin();
}
