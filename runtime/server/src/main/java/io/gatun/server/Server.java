package io.gatun.server;

import io.gatun.server.adapters.AdapterFolder;
import io.gatun.server.adapters.AddAdapter;
import io.gatun.server.adapters.ListAdapters;
import io.gatun.server.adapters.RemoveAdapter;
import io.gatun.server.anthropic.Messages;
import io.gatun.server.generate.Prompts;
import io.gatun.server.generate.Texts;
import io.gatun.server.http.Admission;
import io.gatun.server.http.ApiKeys;
import io.gatun.server.http.Endpoint;
import io.gatun.server.http.Front;
import io.gatun.server.http.Origins;
import io.gatun.server.http.SlowClients;
import io.gatun.server.http.WatchedConnections;
import io.gatun.server.metrics.Metrics;
import io.gatun.server.metrics.ServerMetrics;
import io.gatun.server.models.ServedModels;
import io.gatun.server.ollama.Chat;
import io.gatun.server.ollama.Generate;
import io.gatun.server.ollama.Tags;
import io.gatun.server.ollama.Version;
import io.gatun.server.openai.ApplyTemplate;
import io.gatun.server.openai.ChatCompletions;
import io.gatun.server.openai.Completions;
import io.gatun.server.openai.Embeddings;
import io.gatun.server.openai.GetModel;
import io.gatun.server.openai.ListModels;
import io.gatun.server.openai.OpenAi;
import io.gatun.server.openai.Rerank;
import io.gatun.server.openai.Responses;
import io.gatun.server.tokens.Detokenize;
import io.gatun.server.tokens.Tokenize;
import io.gatun.server.web.Page;
import io.helidon.webserver.WebServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Models behind HTTP. Each request has a virtual thread; what computes is the models' engines.
 *
 * <p>Thread-safe. Closing it lets running answers end, as long as its options allow, and then stops
 * them; the models are the caller's.
 */
public final class Server implements AutoCloseable {
  /** How long a connection may give nothing while a request is read. */
  private static final Duration READ_MAX = Duration.ofSeconds(30);

  private static final int CONNECTIONS_PER_REQUEST = 16;

  /** Bytes; small enough that a client that does not read is soon known. */
  private static final int SEND_BUFFER = 1 << 17;

  private final ServerOptions options;
  private final Admission admission;
  private final SlowClients clients;
  private final ServerMetrics metrics;
  private final WebServer web;
  private boolean closed;

  private Server(ServedModels models, ServerOptions options) {
    this.options = options;
    this.admission = new Admission(options.requestsMax());
    this.clients = new SlowClients(options.writeMax());
    InetAddress address = address(options.host());
    Front.Rules rules =
        new Front.Rules(
            new ApiKeys(options.apiKeys()),
            new Origins(options.host(), address.isLoopbackAddress(), options.corsOrigins()),
            admission,
            options.bodyBytesMax());
    this.metrics = new ServerMetrics(models, admission::inside);
    Front front = new Front(endpoints(models), rules, clients, OpenAi.ERRORS, metrics::answered);
    this.web =
        WebServer.builder()
            .address(address)
            .port(options.port())
            .shutdownHook(false) // who started the server closes it
            .featuresDiscoverServices(false)
            .addConnectionSelector(new WatchedConnections())
            .connectionOptions(
                socket -> socket.readTimeout(READ_MAX).socketSendBufferSize(SEND_BUFFER))
            .maxTcpConnections(CONNECTIONS_PER_REQUEST * options.requestsMax())
            .maxPayloadSize(options.bodyBytesMax())
            .directHandlers(Refusals.all())
            .shutdownGracePeriod(Duration.ofMillis(500))
            .routing(routing -> routing.any(front))
            .build();
  }

  /**
   * Starts.
   *
   * @throws UncheckedIOException when the address cannot be listened at
   */
  public static Server start(ServedModels models, ServerOptions options) {
    Server server = new Server(models, options);
    var _ = server.web.start();
    if (!server.web.isRunning()) { // it tells its log alone
      server.clients.close();
      IOException reason = reason(options);
      throw new UncheckedIOException(
          "cannot listen at %s, port %d: %s"
              .formatted(options.host(), options.port(), reason.getMessage()),
          reason);
    }
    return server;
  }

  /** Why nothing can listen there: tried once more, as the web server does not say. */
  private static IOException reason(ServerOptions options) {
    try (ServerSocket _ = new ServerSocket(options.port(), 1, address(options.host()))) {
      return new IOException("the web server did not start");
    } catch (IOException e) {
      return e;
    }
  }

  private List<Endpoint> endpoints(ServedModels models) {
    Texts texts = new Texts(models, new Prompts(options.promptTokensMax()), metrics);
    List<Endpoint> all = new ArrayList<>();
    all.add(new Health());
    all.add(new ListModels(models));
    all.add(new GetModel(models));
    all.add(new ChatCompletions(texts));
    all.add(new Completions(texts));
    all.add(new Embeddings(models));
    all.add(new Rerank(models));
    all.add(new Tokenize(texts, OpenAi.ERRORS));
    all.add(new Detokenize(texts, OpenAi.ERRORS));
    all.add(new ApplyTemplate(texts));
    all.add(new Responses(texts));
    all.add(new Messages(texts));
    all.add(new Chat(texts));
    all.add(new Generate(texts));
    all.add(new Tags(models));
    all.add(new Version());
    Optional<AdapterFolder> folder = options.adapterFolder().map(AdapterFolder::new);
    all.add(new ListAdapters(models, folder, OpenAi.ERRORS));
    all.add(new AddAdapter(models, folder, OpenAi.ERRORS));
    all.add(new RemoveAdapter(models, OpenAi.ERRORS));
    all.addAll(Page.all(OpenAi.ERRORS));
    all.add(new Metrics(metrics, OpenAi.ERRORS));
    return all;
  }

  private static InetAddress address(String host) {
    try {
      return InetAddress.getByName(host);
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException("there is no address %s to listen at".formatted(host), e);
    }
  }

  /** The port that it listens at. */
  public int port() {
    return web.port();
  }

  /** How many requests are being answered. */
  public int requests() {
    return admission.inside();
  }

  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    boolean interrupted = false;
    try {
      var _ = admission.drain(options.drainMax());
    } catch (InterruptedException e) {
      interrupted = true; // what runs is stopped at once
    }
    web.stop();
    clients.close();
    metrics.close();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
