package io.gatun;

import java.util.Iterator;
import java.util.Optional;
import java.util.concurrent.Flow;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

/**
 * A text as a reactive stream: pieces are read on a virtual thread, no more than were asked for.
 * The engine generates on meanwhile, and the pieces wait.
 *
 * @source Reactive Streams 1.0.4, the rules for publishers
 */
final class TextPublisher implements Flow.Publisher<String> {
  private final Supplier<TokenStream> start;

  TextPublisher(Supplier<TokenStream> start) {
    this.start = start;
  }

  @Override
  public void subscribe(Flow.Subscriber<? super String> subscriber) {
    var _ = Thread.ofVirtual().name("gatun-publisher").start(new Delivery(subscriber, start)::run);
  }

  private static final class Delivery implements Flow.Subscription {
    private final Flow.Subscriber<? super String> subscriber;
    private final Supplier<TokenStream> start;
    private final Semaphore wanted = new Semaphore(0);
    private final AtomicReference<Optional<TokenStream>> running =
        new AtomicReference<>(Optional.empty());
    private volatile boolean cancelled;
    private volatile boolean wrong;

    private Delivery(Flow.Subscriber<? super String> subscriber, Supplier<TokenStream> start) {
      this.subscriber = subscriber;
      this.start = start;
    }

    private void run() {
      subscriber.onSubscribe(this);
      try (TokenStream stream = start.get()) {
        running.set(Optional.of(stream));
        if (deliver(stream.iterator())) {
          subscriber.onComplete();
        }
      } catch (RuntimeException e) {
        if (!cancelled) {
          subscriber.onError(e);
        }
      }
    }

    /** False when the subscriber wants no more. */
    private boolean deliver(Iterator<String> pieces) {
      while (!cancelled && pieces.hasNext()) {
        wanted.acquireUninterruptibly();
        if (wrong) {
          throw new IllegalArgumentException("a subscriber must ask for at least one piece");
        }
        if (!cancelled) {
          subscriber.onNext(pieces.next());
        }
      }
      return !cancelled;
    }

    @Override
    public synchronized void request(long count) {
      wrong |= count < 1;
      int room = Integer.MAX_VALUE - wanted.availablePermits();
      wanted.release(Math.min(room, Math.clamp(count, 1, Integer.MAX_VALUE)));
    }

    @Override
    public void cancel() {
      cancelled = true;
      running.get().ifPresent(TokenStream::cancel);
      request(1);
    }
  }
}
