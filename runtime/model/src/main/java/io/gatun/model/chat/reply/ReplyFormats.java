package io.gatun.model.chat.reply;

import java.util.List;

/** The formats that are known. */
final class ReplyFormats {
  /** Those with marks of their own first; the last one takes everything. */
  static final List<ReplyFormat> ALL =
      List.of(
          new Harmony(),
          new KimiK3(),
          new MiniMaxM3(),
          new DeepSeekMarkup(),
          new DeepSeek(),
          new KimiK2(),
          new Gemma4(),
          new Mistral(),
          new MiniMaxM2(),
          new Atem(),
          new Functionary(),
          new FunctionaryTags(),
          new XmlFunctions(),
          new MiniCpm5(),
          new ArgumentTags(),
          new CommandR7b(),
          new CommandR(),
          new Nemotron(),
          new CallList(),
          new Granite(),
          new GigaChat(),
          new Apertus(),
          new Lfm2(),
          new Firefunction(),
          new Solar(),
          new Hermes(),
          new Llama3(),
          new AnyReply());

  private ReplyFormats() {}

  /** The format of models with this chat template. */
  static ReplyFormat of(String template) {
    return ALL.stream().filter(f -> f.belongsTo(template)).findFirst().orElseThrow();
  }
}
