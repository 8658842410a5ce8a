package io.gatun.tensor;

import io.gatun.bindings.NativeLibraries;
import io.gatun.bindings.ggml.GatunKernels;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/**
 * Which implementation computes a node: GGML's op, or a kernel of our own. GGML's is the fallback
 * everywhere: on GPUs, on processors without the needed instructions, for other types and shapes,
 * and when a family is switched off. The thresholds below are the whole table; docs/benchmarks.md
 * has the measurements behind it.
 *
 * <p>With every family off, logits equal libllama's bit for bit.
 *
 * @param families which kernels of our own may be chosen
 * @param bfloats whether products of floats round their operands to BF16, for training: sums stay
 *     F32 (arXiv 1905.12322)
 */
public record Kernels(Set<Family> families, boolean bfloats) {

  /** Kernels that are switched together. */
  public enum Family {
    /** Products with quantised weights, in integers, from the mapped file. */
    MATMUL,
    /** Products with expert matrices of any type, grouped by expert. */
    EXPERTS,
    /** Products with weights of F32, F16 and BF16, other than expert matrices. */
    FLOATS,
    /** Attention that reads keys and values once for all heads that share them. */
    ATTENTION,
    /** What lies between products of few columns, computed by the node that needs it. */
    FUSED
  }

  public Kernels {
    families = Set.copyOf(families);
  }

  /** Some families, with products of floats in F32. */
  public Kernels(Set<Family> families) {
    this(families, false);
  }

  /** The same, with products of floats in BF16 or not. */
  public Kernels withBfloats(boolean rounded) {
    return new Kernels(families, rounded);
  }

  /** Whether this processor multiplies BF16 faster than F32. */
  public static boolean fastBfloats() {
    var _ = NativeLibraries.load();
    return GatunKernels.gatun_fast_bfloats();
  }

  /** All of our own kernels. */
  public static Kernels own() {
    return new Kernels(EnumSet.allOf(Family.class));
  }

  /** Only GGML's. */
  public static Kernels ggml() {
    return new Kernels(Set.of());
  }

  /**
   * Reads a list: {@code own}, {@code ggml}, or names of families with commas between them.
   *
   * @throws IllegalArgumentException for another name
   */
  public static Kernels parse(String list) {
    return switch (list) {
      case "own" -> own();
      case "ggml" -> ggml();
      default -> {
        EnumSet<Family> chosen = EnumSet.noneOf(Family.class);
        for (String name : list.split(",", -1)) {
          chosen.add(family(name.strip()));
        }
        yield new Kernels(chosen);
      }
    };
  }

  private static Family family(String name) {
    return Arrays.stream(Family.values())
        .filter(f -> f.name().equals(name.toUpperCase(Locale.ROOT)))
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                "kernels: \"%s\" is none of own, ggml, %s"
                    .formatted(name, Arrays.toString(Family.values()).toLowerCase(Locale.ROOT))));
  }

  /** Whether products with mapped weights of a type are ours, so that rearranging gains nothing. */
  public boolean multiplies(DType type) {
    return families.contains(Family.MATMUL) && panels(type);
  }

  /** How a matrix product is computed. */
  enum Product {
    /** GGML's op. */
    GGML,
    /** Quantised weights unpacked into panels, in integers: prompts and batches. */
    PANELS,
    /** Weights of floats, in F32: prompts and batches. */
    FLOATS,
    /** Row by row with dot products of our own: decoding. */
    DOTS,
    /** Row by row with GGML's dot products, for types that ours lack. */
    ROWS;

    /** Whether products with the same input become one node. */
    boolean shared() {
      return this == PANELS || this == DOTS || this == ROWS;
    }
  }

  private static final Set<DType> KEYS_AND_VALUES =
      Set.of(DType.F32, DType.F16, DType.BF16, DType.Q8_0);

  private static final Set<DType> FLOATS = Set.of(DType.F32, DType.F16, DType.BF16);

  private static final int ATTENTION_DIM_MAX = 576;

  /** Columns up to which a row of weights is better read directly than unpacked. */
  private static final int ROWS_COLUMNS_MAX = 2;

  /** The kernel of a node. */
  Product product(Tensor node) {
    if (!(node.op() instanceof Op.MatMul || node.op() instanceof Op.MatMulId)) {
      return Product.GGML;
    }
    DType type = node.operands().getFirst().type();
    boolean experts = node.op() instanceof Op.MatMulId;
    if (!families.contains(family(type, experts)) || !plain(node)) {
      return Product.GGML;
    }
    if (experts && FLOATS.contains(type) && vectorised()) {
      return Product.FLOATS;
    }
    if (columns(node) <= ROWS_COLUMNS_MAX) {
      return vectorised() && rowDotsBlock(type) > 0 ? Product.DOTS : Product.ROWS;
    }
    if (panels(type)) {
      return Product.PANELS;
    }
    return FLOATS.contains(type) && vectorised() ? Product.FLOATS : Product.GGML;
  }

  private static Family family(DType weights, boolean experts) {
    if (experts) {
      return Family.EXPERTS;
    }
    return FLOATS.contains(weights) ? Family.FLOATS : Family.MATMUL;
  }

  /** How many columns each weight is multiplied with, on average over experts. */
  private static double columns(Tensor product) {
    return product.op() instanceof Op.MatMulId
        ? (double) product.shape().rows() / product.operands().getFirst().shape().d2()
        : product.shape().d1();
  }

  /** Weights as the file has them, and an input whose rows are dense. */
  private static boolean plain(Tensor product) {
    Tensor w = product.operands().get(0);
    Tensor x = product.operands().get(1);
    boolean experts = product.op() instanceof Op.MatMulId;
    boolean matrices =
        experts
            ? w.shape().d3() == 1
                && w.shape().d2() <= GatunKernels.GATUN_EXPERTS_MAX()
                && x.shape().d3() == 1
            : w.shape().rows() == w.shape().d1() && x.shape().rows() == x.shape().d1();
    return matrices
        && w.op() instanceof Op.Stored(StoredTensor stored)
        && (stored.placement() == Placement.MAPPED || stored.placement() == Placement.HOST)
        && x.type() == DType.F32
        && x.layout().rowsDense();
  }

  /** Whether a node of attention is ours. */
  boolean attention(Tensor node) {
    Tensor q = node.operands().get(0);
    Tensor k = node.operands().get(1);
    Tensor v = node.operands().get(2);
    return families.contains(Family.ATTENTION)
        && vectorised()
        && caches(k.type())
        && caches(v.type())
        && q.shape().d0() % Math.max(8, k.type().blockSize()) == 0
        && v.shape().d0() % Math.max(8, v.type().blockSize()) == 0
        && q.shape().d0() <= ATTENTION_DIM_MAX
        && v.shape().d0() <= ATTENTION_DIM_MAX
        && q.shape().d3() == 1;
  }

  /** Whether a cache of a type is one that our kernels write and read. */
  static boolean caches(DType type) {
    return KEYS_AND_VALUES.contains(type);
  }

  /** Whether nodes may be computed by others that need them. */
  boolean fused() {
    return families.contains(Family.FUSED) && vectorised();
  }

  private static boolean panels(DType type) {
    return vectorised() && activationBlock(type) > 0;
  }

  /** 256 or 32: over how many activations one scale goes; 0 for types without a kernel. */
  static int activationBlock(DType type) {
    return GatunKernels.gatun_activation_block(type.id());
  }

  /** 256 or 32 as above, for dot products of rows; 0 for types without one of our own. */
  static int rowDotsBlock(DType type) {
    return GatunKernels.gatun_row_dots_block(type.id());
  }

  /** Without vector instructions our kernels are only the reference. */
  private static boolean vectorised() {
    var _ = NativeLibraries.load();
    return GatunKernels.gatun_isa_level() > 0;
  }
}
