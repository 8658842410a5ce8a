package io.gatun.server.http;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.concurrency.limits.Limit;
import io.helidon.common.task.InterruptableTask;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.http1.Http1Config;
import io.helidon.webserver.http1.Http1ConnectionSelector;
import io.helidon.webserver.spi.ServerConnection;
import io.helidon.webserver.spi.ServerConnectionSelector;
import java.time.Duration;
import java.util.Set;

/** HTTP/1.1 over connections that can be {@link ReadAhead read ahead}. */
public final class WatchedConnections implements ServerConnectionSelector {
  private static final ScopedValue<ReadAhead> CURRENT = ScopedValue.newInstance();

  private final Http1ConnectionSelector http =
      Http1ConnectionSelector.builder().config(Http1Config.create()).build();

  /** The connection of the request that this thread answers. */
  static ReadAhead current() {
    return CURRENT.get();
  }

  @Override
  public int bytesToIdentifyConnection() {
    return http.bytesToIdentifyConnection();
  }

  @Override
  public Support supports(BufferData data) {
    return http.supports(data);
  }

  @Override
  public Set<String> supportedApplicationProtocols() {
    return http.supportedApplicationProtocols();
  }

  @Override
  public ServerConnection connection(ConnectionContext connection) {
    ReadAhead ahead = new ReadAhead(connection);
    return new Watched(http.connection(ahead), ahead);
  }

  private record Watched(ServerConnection http, ReadAhead ahead)
      implements ServerConnection, InterruptableTask<Void> {
    @Override
    public void handle(Limit limit) throws InterruptedException {
      ScopedValue.where(CURRENT, ahead)
          .<Void, InterruptedException>call(() -> {
            http.handle(limit);
            return null;
          });
    }

    @Override
    public boolean canInterrupt() {
      return http instanceof InterruptableTask<?> task && task.canInterrupt();
    }

    @Override
    public Duration idleTime() {
      return http.idleTime();
    }

    @Override
    public void close(boolean interrupt) {
      http.close(interrupt);
    }
  }
}
