// Batch norm by distinct step.

#pragma once

#include "operation.h"

namespace cascade {
namespace {

class NormOperation : public Operation {
 public:
  NormOperation(OpKernelConstruction* c, float epsilon)
      : Operation(c), rows(Integers(c, "rows")), epsilon_(epsilon), relu_(Attribute<bool>(c, "relu")) {}

 protected:
  NormShape ShapeOf(const Tensor& x) const { return {rows, x.dim_size(1) * x.dim_size(2), x.dim_size(3), epsilon_, relu_}; }
  TensorShape TableOf(const Tensor& x) const { return TensorShape({static_cast<int64_t>(rows.size()), x.dim_size(3)}); }

  const std::vector<int64_t> rows;

 private:
  const float epsilon_;
  const bool relu_;
};

class NormalizeOp final : public NormOperation {
 public:
  explicit NormalizeOp(OpKernelConstruction* c) : NormOperation(c, Attribute<float>(c, "epsilon")) {}

 protected:
  void Compute(OpKernelContext* context, const Arithmetic& arithmetic, const Threads& threads) override {
    const Tensor& x = context->input(0);
    if (!ShapesAgree(context, rows, x)) return;
    void* y = Output(context, 0, x.shape());
    float* mean = FloatOutput(context, 1, TableOf(x));
    float* variance = FloatOutput(context, 2, TableOf(x));
    if (y == nullptr || mean == nullptr || variance == nullptr) return;
    arithmetic.Normalize(threads, DtypeOf(x), ShapeOf(x), Data(x), Floats(context->input(1)), Floats(context->input(2)), y, mean, variance);
  }
};

class NormalizeGradientOp final : public NormOperation {
 public:
  explicit NormalizeGradientOp(OpKernelConstruction* c) : NormOperation(c, Attribute<float>(c, "epsilon")) {}

 protected:
  void Compute(OpKernelContext* context, const Arithmetic& arithmetic, const Threads& threads) override {
    const Tensor& dy = context->input(0);
    const Tensor& x = context->input(1);
    if (!ShapesAgree(context, rows, x) || !ShapesAgree(context, rows, dy)) return;
    void* dx = Output(context, 0, x.shape());
    float* dscale = FloatOutput(context, 1, TableOf(x));
    float* doffset = FloatOutput(context, 2, TableOf(x));
    if (dx == nullptr || dscale == nullptr || doffset == nullptr) return;
    arithmetic.NormalizeGradient(threads, DtypeOf(x), ShapeOf(x), Data(dy), Data(x), Floats(context->input(2)), Floats(context->input(3)),
                                 Floats(context->input(4)), Floats(context->input(5)), dx, dscale, doffset);
  }
};

class ScaleAndShiftOp final : public NormOperation {
 public:
  explicit ScaleAndShiftOp(OpKernelConstruction* c) : NormOperation(c, 0) {}

 protected:
  void Compute(OpKernelContext* context, const Arithmetic& arithmetic, const Threads& threads) override {
    const Tensor& x = context->input(0);
    if (!ShapesAgree(context, rows, x)) return;
    void* y = Output(context, 0, x.shape());
    if (y != nullptr) arithmetic.ScaleAndShift(threads, DtypeOf(x), ShapeOf(x), Data(x), Floats(context->input(1)), Floats(context->input(2)), y);
  }
};

#define NORM_OPERATION(name) REGISTER_OP(name).Attr("T: {float, bfloat16}").Attr("rows: list(int)").Attr("relu: bool")

NORM_OPERATION("CascadeNormalize")
    .Attr("epsilon: float").Input("x: T").Input("scale: float").Input("offset: float")
    .Output("y: T").Output("mean: float").Output("variance: float");
NORM_OPERATION("CascadeNormalizeGradient")
    .Attr("epsilon: float").Input("dy: T").Input("x: T").Input("scale: float").Input("offset: float").Input("mean: float").Input("variance: float")
    .Output("dx: T").Output("dscale: float").Output("doffset: float");
NORM_OPERATION("CascadeScaleAndShift").Input("x: T").Input("gain: float").Input("bias: float").Output("y: T");

REGISTER_OPERATION("CascadeNormalize", NormalizeOp);
REGISTER_OPERATION("CascadeNormalizeGradient", NormalizeGradientOp);
REGISTER_OPERATION("CascadeScaleAndShift", ScaleAndShiftOp);

}  // namespace
}  // namespace cascade
