package io.gatun.tensor;

import io.gatun.bindings.GatunException;
import io.gatun.tensor.Op.GluKind;
import java.lang.System.Logger.Level;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Loads the native libraries and links the functions that every model needs, on a thread of its
 * own. Linking a native function makes the JVM write code, a few milliseconds for each kind of
 * signature; done beside reading the command line and the file, that time is not waited for.
 *
 * <p>Thread-safe; happens once. Without it everything works the same, later.
 */
public final class WarmUp {
  private static final AtomicBoolean STARTED = new AtomicBoolean();

  private WarmUp() {}

  /** Starts it, if nobody has yet. */
  public static void start() {
    if (STARTED.compareAndSet(false, true)) {
      Thread.ofPlatform().daemon().name("gatun-warm-up").start(WarmUp::run);
    }
  }

  private static void run() {
    try (Selection selection = new Selection(1);
        TensorStore store = cache();
        Backend backend = Backend.cpu(1);
        CompiledGraph compiled = backend.compile(decoder(store))) {
      compiled.begin();
      Graph graph = compiled.graph();
      compiled.write(graph.input("tokens"), new int[2]);
      compiled.write(graph.input("positions"), new int[2]);
      compiled.write(graph.input("cells"), new long[2]);
      compiled.write(graph.input("mask"), new short[64], 64);
      compiled.write(graph.input("table"), new float[128]);
      var _ = compiled.compute();
      compiled.readRow(graph.outputs().getFirst(), 0, new float[32]);
      var _ = compiled.topK(graph.outputs().getFirst(), 0, selection, 1);
    } catch (GatunException e) {
      // Whoever needs what is missing will hear of it in its own words.
      System.getLogger("io.gatun.tensor").log(Level.DEBUG, "warm-up failed", e);
    }
  }

  private static TensorStore cache() {
    try (TensorStore.Builder builder = TensorStore.builder("warm-up")) {
      builder.zeroed("k", Layout.dense(DType.F16, Shape.of(32, 32)), Device.cpu());
      return builder.build();
    }
  }

  /** The ops of a decoder layer, as small as they can be. */
  private static Graph decoder(TensorStore store) {
    GraphBuilder g = new GraphBuilder();
    Tensor tokens = g.indices("tokens", DType.I32, 4, 2);
    Tensor positions = g.indices("positions", DType.I32, 9, 2);
    Tensor cells = g.indices("cells", DType.I64, 32, 2);
    Tensor mask = g.input("mask", DType.F16, 32, 2);
    Tensor x = g.input("table", DType.F32, 32, 4).getRows(tokens).rmsNorm(1e-5f);
    Tensor q = x.mul(x).reshape(32, 1, 2).rope(positions, RopeParameters.plain(32, true, 9, 1e4f));
    Tensor k = g.stored(store.find("k").orElseThrow());
    var _ = k.setRows(q.view(Shape.of(32, 2), 128, 256, 256, 0), cells);
    Tensor kv = k.view(Shape.of(32, 1, 32), 64, 64, 2048, 0).permute(0, 2, 1, 3);
    Tensor y = g.attention(q.permute(0, 2, 1, 3), kv, kv, mask, 1f, 0f).reshape(32, 2);
    Tensor z = y.add(x).glu(GluKind.SWIGLU, x);
    g.output(x.matMul(z.scale(2f)).concat(z, 0));
    return g.build();
  }
}
