package io.gatun;

import io.gatun.engine.embed.Embedder;
import io.gatun.model.Model;
import io.gatun.model.Vocabulary;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * A loaded model that reads a query and a document together and says how well the one answers the
 * other. Slower than comparing vectors, and better.
 *
 * <p>Thread-safe. After closing it, every use throws {@link IllegalStateException}.
 */
public final class Reranker implements AutoCloseable {
  private static final String TEMPLATE = "tokenizer.chat_template.rerank";

  private final Embedder embedder;

  Reranker(Embedder embedder) {
    this.embedder = embedder;
  }

  /** A document by its place in the list that was given, and its score: larger is better. */
  public record Ranked(int index, double score) {}

  /** The documents, the best first. */
  public List<Ranked> rank(String query, List<String> documents) {
    float[] scores = scores(query, documents);
    return IntStream.range(0, scores.length)
        .mapToObj(i -> new Ranked(i, scores[i]))
        .sorted(Comparator.comparingDouble(Ranked::score).reversed())
        .toList();
  }

  /**
   * The score of each document, in their order. What scores mean differs between models; only those
   * of one query can be compared.
   *
   * @throws io.gatun.tensor.CapacityException when a pair is longer than the model's context
   */
  public float[] scores(String query, List<String> documents) {
    List<int[]> pairs = documents.stream().map(d -> pair(query, d)).toList();
    List<float[]> vectors = embedder.embed(pairs);
    float[] scores = new float[pairs.size()];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = vectors.get(i)[0];
    }
    return scores;
  }

  /** What is below: the model's file, numbers and vocabulary. */
  public Model model() {
    return embedder.model();
  }

  @Override
  public void close() {
    embedder.close();
  }

  /**
   * Query and document as the model was trained to read them.
   *
   * @source llama.cpp v0.4.0, tools/server, for the order of tokens without a template
   */
  private int[] pair(String query, String document) {
    Vocabulary vocabulary = model().vocabulary();
    Optional<String> template = model().hyperparams().metadata().text(TEMPLATE);
    if (template.isPresent()) {
      String text = template.get().replace("{query}", query).replace("{document}", document);
      return vocabulary.encode(text, false, true);
    }
    IntStream.Builder tokens = IntStream.builder();
    if (vocabulary.addsBegin()) {
      vocabulary.beginToken().ifPresent(tokens::add);
    }
    IntStream.of(vocabulary.encode(query, false, false)).forEach(tokens::add);
    if (vocabulary.addsEnd()) {
      vocabulary.endToken().ifPresent(tokens::add);
    }
    vocabulary.separator().ifPresent(tokens::add);
    IntStream.of(vocabulary.encode(document, false, false)).forEach(tokens::add);
    // BERT has no EOS and ends with its separator (arXiv 1810.04805).
    if (vocabulary.addsEnd()) {
      vocabulary.endToken().ifPresent(tokens::add);
    } else {
      vocabulary.separator().ifPresent(tokens::add);
    }
    return tokens.build().toArray();
  }
}
