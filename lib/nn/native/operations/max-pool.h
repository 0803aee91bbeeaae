// 3x3 max-pool, stride 2, padding 1.

#pragma once

#include "operation.h"

namespace cascade {
namespace {

inline PoolShape PoolShapeOf(const Tensor& x) { return {x.dim_size(0), x.dim_size(1), x.dim_size(2), x.dim_size(3)}; }

class MaxPoolOp final : public Operation {
 public:
  using Operation::Operation;

 protected:
  void Compute(const Call& call) override {
    const PoolShape shape = PoolShapeOf(call.Input(0));
    void* y = call.Output(0, TensorShape({shape.batch, shape.OutHeight(), shape.OutWidth(), shape.channels}));
    call.arithmetic.MaxPool(call.threads, call.DtypeOf(0), shape, call.Data(0), y);
  }
};

class MaxPoolGradientOp final : public Operation {
 public:
  using Operation::Operation;

 protected:
  void Compute(const Call& call) override {
    const Tensor& x = call.Input(1);
    void* dx = call.Output(0, x.shape());
    call.arithmetic.MaxPoolGradient(call.threads, call.DtypeOf(1), PoolShapeOf(x), call.Data(0), call.Data(1), call.Data(2), dx);
  }
};

REGISTER_OP("CascadeMaxPool").Attr("T: {float, bfloat16}").Input("x: T").Output("y: T");
REGISTER_OP("CascadeMaxPoolGradient").Attr("T: {float, bfloat16}").Input("dy: T").Input("x: T").Input("y: T").Output("dx: T");

REGISTER_OPERATION("CascadeMaxPool", MaxPoolOp);
REGISTER_OPERATION("CascadeMaxPoolGradient", MaxPoolGradientOp);

}  // namespace
}  // namespace cascade
