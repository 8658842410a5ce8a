package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.Hyperparams;
import io.gatun.model.LayerScope;
import io.gatun.model.UnsupportedModelException;
import io.gatun.model.gguf.GgufMetadata;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * The text model of Qwen 2 VL and 2.5 VL. Its rotary positions are of time, height and width; a
 * text's tokens have one number for all three, which makes them those of Qwen 2.
 *
 * @source arXiv 2409.12191; llama.cpp v0.4.0, src/models/qwen2vl.cpp
 */
public final class Qwen2Vl implements Architecture {
  private static final String SECTIONS = "qwen2vl.rope.dimension_sections";

  @Override
  public Set<String> names() {
    return Set.of("qwen2vl");
  }

  @Override
  public boolean neox() {
    return true;
  }

  /** A fourth section, which no file has, would get position 0 in libllama. */
  @Override
  public Hyperparams hyperparams(GgufMetadata metadata) {
    long[] sections = metadata.integers(SECTIONS).orElseThrow(() -> metadata.missing(SECTIONS));
    if (sections.length > 3 && sections[3] != 0) {
      throw new UnsupportedModelException(
          "%s: %s has a fourth section of %d, expected 0"
              .formatted(metadata.file(), SECTIONS, sections[3]));
    }
    return Hyperparams.read(metadata, neox());
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    return Qwen2.block(s, x);
  }
}
