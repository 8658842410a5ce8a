package io.gatun.tensor;

import io.gatun.bindings.NativeLibraries;
import io.gatun.bindings.ggml.GatunKernels;
import io.gatun.tensor.ShapeRules.Rule;

/** What ops accept that change stored tensors of training. */
final class WriteRules {
  private WriteRules() {}

  static Layout blend(Rule r) {
    Tensor stored = r.operand(0, 2);
    requireWritable(r, stored, DType.F32);
    requireLike(r, r.operand(1, 2), stored);
    return stored.layout();
  }

  static Layout update(Rule r, Op.UpdateRule rule) {
    int count = 4 + rule.moments();
    Tensor parameter = r.operand(0, count);
    requireWritable(r, parameter, DType.F32);
    requireLike(r, r.operand(1, count), parameter);
    requireVector(r, r.operand(2, count), Op.SETTINGS);
    requireVector(r, r.operand(3, count), 1);
    Layout moment = Tensor.momentLayout(rule, parameter.shape());
    for (int i = 4; i < count; i++) {
      Tensor stored = r.operand(i, count);
      requireWritable(r, stored, moment.type());
      r.require(stored.shape().equals(moment.shape()), "moments must be " + moment);
      for (int j = 0; j < i; j++) {
        r.require(r.operand(j, count) != stored, stored + " is given twice");
      }
    }
    return parameter.layout();
  }

  /** Bytes of one 8-bit moment of so many parameters. */
  static long momentBytes(long parameters) {
    var _ = NativeLibraries.load();
    return GatunKernels.gatun_moment_bytes(parameters);
  }

  private static void requireWritable(Rule r, Tensor tensor, DType type) {
    r.requireType(tensor, type);
    r.require(
        tensor.op() instanceof Op.Stored(StoredTensor stored)
            && stored.placement() == Placement.HOST,
        tensor + " must be a stored tensor in main memory that is no mapped file");
  }

  private static void requireLike(Rule r, Tensor x, Tensor stored) {
    r.requireType(x, DType.F32);
    r.require(x.shape().equals(stored.shape()), "shapes differ");
    r.require(x.layout().dense(), "must be dense");
  }

  private static void requireVector(Rule r, Tensor x, long length) {
    r.requireType(x, DType.F32);
    r.require(
        x.shape().equals(Shape.of(length)) && x.layout().dense(), "must be [%d]".formatted(length));
  }
}
