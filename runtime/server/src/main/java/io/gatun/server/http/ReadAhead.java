package io.gatun.server.http;

import io.helidon.common.buffers.DataReader;
import io.helidon.common.buffers.DataWriter;
import io.helidon.common.socket.HelidonSocket;
import io.helidon.common.socket.PeerInfo;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.ListenerContext;
import io.helidon.webserver.ProxyProtocolData;
import io.helidon.webserver.Router;
import io.helidon.webserver.ServerConnectionException;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A connection that can be read ahead of its next request, which is the only way to learn that a
 * client has gone while its request is computed: a socket says so to readers alone. What a client
 * sends meanwhile is kept for the next request.
 */
final class ReadAhead implements ConnectionContext {
  private final ConnectionContext connection;
  private final DataReader reader = DataReader.create(this::pull);

  /** Held by who reads from the socket: the connection's own thread, or the one that looks. */
  private final ReentrantLock reading = new ReentrantLock();

  private byte @Nullable [] ahead;
  private boolean ended;

  ReadAhead(ConnectionContext connection) {
    this.connection = connection;
  }

  /** Someone who wants to know when the client goes; closing it ends the interest. */
  final class Watch implements AutoCloseable {
    private final Runnable gone;
    private volatile boolean open = true;

    private Watch(Runnable gone) {
      this.gone = gone;
    }

    @Override
    public void close() {
      open = false;
    }

    /** Reads until something comes, or the client goes, or nobody is interested any more. */
    private void look() {
      boolean more = true;
      while (open && more) {
        reading.lock();
        try {
          more = !ended && ahead == null && nothingYet();
          if (ended && open) {
            gone.run();
          }
        } finally {
          reading.unlock();
        }
      }
    }
  }

  /**
   * Calls {@code gone} from another thread when the client closes the connection. A client that
   * sends its next request before the answer to this one is not watched any further.
   */
  Watch watch(Runnable gone) {
    Watch watch = new Watch(gone);
    var _ = Thread.ofVirtual().name("gatun-watch").start(watch::look);
    return watch;
  }

  /** One read; whether there was still nothing when its time was over. */
  private boolean nothingYet() {
    try {
      ahead = connection.serverSocket().get();
      ended = ahead == null;
      return false;
    } catch (UncheckedIOException e) {
      ended = !(e.getCause() instanceof SocketTimeoutException);
      return !ended;
    }
  }

  /** The next bytes, null at the end: what {@link DataReader} asks for. */
  private byte @Nullable [] pull() {
    try {
      reading.lockInterruptibly();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ServerConnectionException("stopped while waiting for a request", e);
    }
    try {
      byte[] kept = ahead;
      if (kept != null) {
        ahead = null;
        return kept;
      }
      int before = connection.dataReader().available();
      if (before > 0) { // what was looked at to tell the protocol
        return connection.dataReader().readBytes(before);
      }
      return ended ? null : connection.serverSocket().get();
    } catch (UncheckedIOException e) {
      throw new ServerConnectionException("the connection broke", e);
    } finally {
      reading.unlock();
    }
  }

  @Override
  public DataReader dataReader() {
    return reader;
  }

  @Override
  public ListenerContext listenerContext() {
    return connection.listenerContext();
  }

  @Override
  public ExecutorService executor() {
    return connection.executor();
  }

  @Override
  public DataWriter dataWriter() {
    return connection.dataWriter();
  }

  @Override
  public Router router() {
    return connection.router();
  }

  @Override
  public Optional<ProxyProtocolData> proxyProtocolData() {
    return connection.proxyProtocolData();
  }

  @Override
  public HelidonSocket serverSocket() {
    return connection.serverSocket();
  }

  @Override
  public PeerInfo remotePeer() {
    return connection.remotePeer();
  }

  @Override
  public PeerInfo localPeer() {
    return connection.localPeer();
  }

  @Override
  public boolean isSecure() {
    return connection.isSecure();
  }

  @Override
  public String socketId() {
    return connection.socketId();
  }

  @Override
  public String childSocketId() {
    return connection.childSocketId();
  }
}
