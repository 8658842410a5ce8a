package io.gatun.model.chat.reply;

/** Whether something stands in a text of which more may come. */
enum Fit {
  YES,
  NO,
  /** The text ends too early to tell. */
  MAYBE
}
