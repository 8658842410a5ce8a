package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.Completion;
import io.gatun.Gatun;
import io.gatun.GenerateOptions;
import io.gatun.LanguageModel;
import io.gatun.engine.EngineOptions;
import io.gatun.model.LoadOptions;
import io.gatun.tests.kit.SharedFiles;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Texts as futures and reactive streams. */
@Timeout(120)
class AsynchronousTest {
  private static final GenerateOptions GREEDY = GenerateOptions.greedy().withMaxTokens(60);
  private static final GenerateOptions LONG = GenerateOptions.greedy().withMaxTokens(1900);

  private static LanguageModel model;

  @BeforeAll
  static void load() {
    model =
        Gatun.load(
            SharedFiles.require("models/stories260K/stories260K.gguf"),
            LoadOptions.defaults(),
            EngineOptions.defaults().withContextTokens(2048).withThreads(1));
  }

  @AfterAll
  static void close() {
    if (model != null) {
      model.close();
    }
  }

  @Test
  void a_future_gives_what_waiting_gives() {
    List<CompletableFuture<Completion>> futures = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      futures.add(model.completeAsync("Once upon a time", GREEDY));
    }
    String expected = model.complete("Once upon a time", GREEDY).text();
    assertThat(futures).allSatisfy(f -> assertThat(f.join().text()).isEqualTo(expected));
  }

  @Test
  void a_cancelled_future_frees_its_cells() throws Exception {
    CompletableFuture<Completion> future = model.completeAsync("Lily", LONG);
    future.cancel(true);
    assertThatThrownBy(future::join).isInstanceOf(CancellationException.class);
    model.complete("x", GREEDY.withMaxTokens(1)); // a step in which the engine sees the cancel
    assertThat(model.engine().statistics().freeCells()).isEqualTo(2048);
  }

  @Test
  void a_subscriber_gets_as_many_pieces_as_it_asks_for() throws Exception {
    Reader reader = new Reader();
    model.publish("Once upon a time", GREEDY).subscribe(reader);
    Flow.Subscription subscription = reader.subscription.take();
    subscription.request(1);
    StringBuilder text = new StringBuilder(reader.pieces.take());
    assertThat(reader.pieces.poll(50, TimeUnit.MILLISECONDS)).isNull();
    subscription.request(Long.MAX_VALUE);
    assertThat(reader.end.take()).isEqualTo("complete");
    reader.pieces.forEach(text::append);
    assertThat(text.toString()).isEqualTo(model.complete("Once upon a time", GREEDY).text());
  }

  @Test
  void a_cancelled_subscription_ends_without_a_signal_and_frees_its_cells() throws Exception {
    Reader reader = new Reader();
    model.publish("Lily", LONG).subscribe(reader);
    Flow.Subscription subscription = reader.subscription.take();
    subscription.request(1);
    var _ = reader.pieces.take();
    subscription.cancel();
    model.complete("x", GREEDY.withMaxTokens(1));
    assertThat(model.engine().statistics().freeCells()).isEqualTo(2048);
    assertThat(reader.end).isEmpty();
  }

  @Test
  void asking_for_no_piece_is_an_error_and_so_is_a_prompt_that_is_too_long() throws Exception {
    Reader wrong = new Reader();
    model.publish("Lily", GREEDY).subscribe(wrong);
    wrong.subscription.take().request(0);
    assertThat(wrong.end.take()).contains("at least one piece");
    Reader tooLong = new Reader();
    model.publish("x ".repeat(5000), GREEDY).subscribe(tooLong);
    assertThat(tooLong.end.take()).contains("the context only 2048");
  }

  private static final class Reader implements Flow.Subscriber<String> {
    private final LinkedBlockingQueue<Flow.Subscription> subscription = new LinkedBlockingQueue<>();
    private final LinkedBlockingQueue<String> pieces = new LinkedBlockingQueue<>();
    private final LinkedBlockingQueue<String> end = new LinkedBlockingQueue<>();

    @Override
    public void onSubscribe(Flow.Subscription given) {
      subscription.add(given);
    }

    @Override
    public void onNext(String piece) {
      pieces.add(piece);
    }

    @Override
    public void onError(Throwable failure) {
      end.add(String.valueOf(failure.getMessage()));
    }

    @Override
    public void onComplete() {
      end.add("complete");
    }
  }
}
