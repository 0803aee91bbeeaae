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
  void Compute(const Call& call) override {
    const Tensor& x = call.Input(0);
    RequireRows(rows, x);
    void* y = call.Output(0, x.shape());
    float* mean = call.FloatOutput(1, TableOf(x));
    float* variance = call.FloatOutput(2, TableOf(x));
    call.arithmetic.Normalize(call.threads, call.DtypeOf(0), ShapeOf(x), call.Data(0), call.Floats(1), call.Floats(2), y, mean, variance);
  }
};

class NormalizeGradientOp final : public NormOperation {
 public:
  explicit NormalizeGradientOp(OpKernelConstruction* c) : NormOperation(c, Attribute<float>(c, "epsilon")) {}

 protected:
  void Compute(const Call& call) override {
    const Tensor& x = call.Input(1);
    RequireRows(rows, x);
    RequireRows(rows, call.Input(0));
    void* dx = call.Output(0, x.shape());
    float* dscale = call.FloatOutput(1, TableOf(x));
    float* doffset = call.FloatOutput(2, TableOf(x));
    call.arithmetic.NormalizeGradient(call.threads, call.DtypeOf(1), ShapeOf(x), call.Data(0), call.Data(1), call.Floats(2), call.Floats(3),
                                      call.Floats(4), call.Floats(5), dx, dscale, doffset);
  }
};

class ScaleAndShiftOp final : public NormOperation {
 public:
  explicit ScaleAndShiftOp(OpKernelConstruction* c) : NormOperation(c, 0) {}

 protected:
  void Compute(const Call& call) override {
    const Tensor& x = call.Input(0);
    RequireRows(rows, x);
    void* y = call.Output(0, x.shape());
    call.arithmetic.ScaleAndShift(call.threads, call.DtypeOf(0), ShapeOf(x), call.Data(0), call.Floats(1), call.Floats(2), y);
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
