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
  void Compute(OpKernelContext* context, const Arithmetic& arithmetic, const Threads& threads) override {
    const Tensor& x = context->input(0);
    const PoolShape shape = PoolShapeOf(x);
    void* y = Output(context, 0, TensorShape({shape.batch, shape.OutHeight(), shape.OutWidth(), shape.channels}));
    if (y != nullptr) arithmetic.MaxPool(threads, DtypeOf(x), shape, Data(x), y);
  }
};

class MaxPoolGradientOp final : public Operation {
 public:
  using Operation::Operation;

 protected:
  void Compute(OpKernelContext* context, const Arithmetic& arithmetic, const Threads& threads) override {
    const Tensor& x = context->input(1);
    void* dx = Output(context, 0, x.shape());
    if (dx != nullptr)
      arithmetic.MaxPoolGradient(threads, DtypeOf(x), PoolShapeOf(x), Data(context->input(0)), Data(x), Data(context->input(2)), dx);
  }
};

REGISTER_OP("CascadeMaxPool").Attr("T: {float, bfloat16}").Input("x: T").Output("y: T");
REGISTER_OP("CascadeMaxPoolGradient").Attr("T: {float, bfloat16}").Input("dy: T").Input("x: T").Input("y: T").Output("dx: T");

REGISTER_OPERATION("CascadeMaxPool", MaxPoolOp);
REGISTER_OPERATION("CascadeMaxPoolGradient", MaxPoolGradientOp);

}  // namespace
}  // namespace cascade
