package io.gatun.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Texts from files and pipes: UTF-8, and refused when they are not, instead of altered. */
final class Texts {
  private Texts() {}

  static String of(Path file) throws IOException {
    return decode(file.toString(), Files.readAllBytes(file));
  }

  static String ofStandardInput() throws IOException {
    return decode("standard input", System.in.readAllBytes());
  }

  private static String decode(String source, byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException(source + " is not text in UTF-8", e);
    }
  }
}
