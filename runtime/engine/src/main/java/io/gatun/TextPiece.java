package io.gatun;

import io.gatun.engine.GeneratedToken;
import java.util.List;

/**
 * A piece of a text as it is generated.
 *
 * @param text whole characters; empty only at the end, for tokens that show nothing
 * @param tokens those taken for it; a token whose text was held back comes with the piece that
 *     shows it
 */
public record TextPiece(String text, List<GeneratedToken> tokens) {
  public TextPiece {
    tokens = List.copyOf(tokens);
  }
}
