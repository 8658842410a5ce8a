import io.gatun.Gatun;
import io.gatun.GenerateOptions;
import io.gatun.LanguageModel;
import io.gatun.TokenStream;
import io.gatun.model.adapter.Adapter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * Swaps adapters in a running process: loads a model once, brings adapters into memory, lets them
 * take turns, and shows what each makes of the same beginning and how long its swap took.
 *
 * <pre>scripts/jshell scripts/SwapAdapters.java MODEL ADAPTER…</pre>
 */
final class SwapAdapters {
  private static final String BEGINNING = "Once upon a time";
  private static final int TOKENS = 60;
  private static final int ROUNDS = 2;
  private static final int SWAPS = 50;

  private SwapAdapters() {}

  public static void main(String[] args) {
    try (LanguageModel model = Gatun.load(Path.of(args[0]))) {
      List<List<Adapter>> turns = new ArrayList<>(List.of(List.of()));
      for (int i = 1; i < args.length; i++) {
        turns.add(List.of(load(model, Path.of(args[i]))));
      }
      for (int round = 0; round < ROUNDS; round++) {
        turns.forEach(acting -> show(model, acting));
      }
      compare(model, turns);
      together(model, turns);
    }
  }

  private static Adapter load(LanguageModel model, Path file) {
    long start = System.nanoTime();
    Adapter adapter = model.adapters().load(file);
    System.out.printf(
        "%s: read and brought into memory in %.1f ms%n", adapter.name(), since(start));
    return adapter;
  }

  private static void show(LanguageModel model, List<Adapter> acting) {
    Told told = tell(model, acting, TOKENS);
    String name = acting.isEmpty() ? "no adapter" : acting.getFirst().name();
    System.out.printf(
        "%n— %s: first token after %.1f ms%n%s%s%n",
        name, told.firstMillis(), BEGINNING, told.text());
  }

  /** Each turn twice, so that every other one has nothing to swap. */
  private static void compare(LanguageModel model, List<List<Adapter>> turns) {
    List<Double> swapped = new ArrayList<>();
    List<Double> same = new ArrayList<>();
    for (int i = 0; i < SWAPS; i++) {
      List<Adapter> acting = turns.get(1 + i % (turns.size() - 1));
      swapped.add(tell(model, acting, 1).firstMillis());
      same.add(tell(model, acting, 1).firstMillis());
    }
    System.out.printf(
        "%n— first token, medians of %d: %.2f ms after a swap, %.2f ms without%n",
        SWAPS, median(swapped), median(same));
  }

  private record Told(String text, double firstMillis) {}

  /** The swap is no call of its own: a request says what acts. */
  private static Told tell(LanguageModel model, List<Adapter> acting, int tokens) {
    long start = System.nanoTime();
    try (TokenStream stream = model.stream(BEGINNING, options(acting).withMaxTokens(tokens))) {
      Iterator<String> pieces = stream.iterator();
      var _ = pieces.hasNext();
      double first = since(start);
      return new Told(stream.complete().text(), first);
    }
  }

  /** All of them at once, in the same steps of the engine. */
  private static void together(LanguageModel model, List<List<Adapter>> turns) {
    long start = System.nanoTime();
    List<TokenStream> streams =
        turns.stream()
            .map(acting -> model.stream(BEGINNING, options(acting).withMaxTokens(TOKENS)))
            .toList();
    int tokens = streams.stream().mapToInt(s -> s.complete().usage().completionTokens()).sum();
    System.out.printf(
        "%n— all %d at once, in one batch: %d tokens in %.0f ms%n",
        turns.size(), tokens, since(start));
  }

  private static GenerateOptions options(List<Adapter> acting) {
    GenerateOptions options = GenerateOptions.defaults().withTemperature(0.5f).withSeed(2);
    for (Adapter adapter : acting) {
      options = options.withAdapter(adapter, 1);
    }
    return options;
  }

  private static double median(List<Double> values) {
    return values.stream().sorted().toList().get(values.size() / 2);
  }

  private static double since(long start) {
    return (System.nanoTime() - start) / 1e6;
  }
}
