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
  NormShape ShapeOf(const Tensor& x, const Tensor& affine) const {
    return {rows, x.dim_size(1) * x.dim_size(2), x.dim_size(3), epsilon_, relu_, affine.dims() == 1};
  }
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
    call.arithmetic.Normalize(call.threads, call.DtypeOf(0), ShapeOf(x, call.Input(1)), call.Data(0), call.Floats(1), call.Floats(2), y, mean,
                              variance);
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
    const Tensor& scale = call.Input(2);
    float* dscale = call.FloatOutput(1, scale.shape());
    float* doffset = call.FloatOutput(2, scale.shape());
    call.arithmetic.NormalizeGradient(call.threads, call.DtypeOf(1), ShapeOf(x, scale), call.Data(0), call.Data(1), call.Floats(2),
                                      call.Floats(3), call.Floats(4), call.Floats(5), dx, dscale, doffset);
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
    call.arithmetic.ScaleAndShift(call.threads, call.DtypeOf(0), ShapeOf(x, call.Input(1)), call.Data(0), call.Floats(1), call.Floats(2), y);
  }
};

class UpdateStatisticsOp final : public Operation {
 public:
  explicit UpdateStatisticsOp(OpKernelConstruction* c)
      : Operation(c), step_(Integers(c, "step")), momentum_(Attribute<float>(c, "momentum")), unbias_(Attribute<float>(c, "unbias")) {}

 protected:
  void Compute(const Call& call) override {
    const Tensor& mean = call.Input(0);
    const int64_t batch_steps = call.Input(2).dim_size(0);
    if (static_cast<int64_t>(step_.size()) != mean.dim_size(0) || *std::max_element(step_.begin(), step_.end()) >= batch_steps)
      throw Status(tensorflow::errors::InvalidArgument("the running statistics are ", mean.shape().DebugString(), ", the batch's ",
                                                       call.Input(2).shape().DebugString(), "; the timesteps do not fit them"));
    float* next_mean = call.FloatOutput(0, mean.shape());
    float* next_variance = call.FloatOutput(1, mean.shape());
    call.arithmetic.UpdateStatistics({step_, mean.dim_size(1), momentum_, unbias_}, call.Floats(0), call.Floats(1), call.Floats(2),
                                     call.Floats(3), next_mean, next_variance);
  }

 private:
  const std::vector<int64_t> step_;
  const float momentum_, unbias_;
};

REGISTER_OP("CascadeUpdateStatistics")
    .Attr("step: list(int)").Attr("momentum: float").Attr("unbias: float")
    .Input("mean: float").Input("variance: float").Input("batch_mean: float").Input("batch_variance: float")
    .Output("next_mean: float").Output("next_variance: float");

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
REGISTER_KERNEL_BUILDER(Name("CascadeUpdateStatistics").Device(DEVICE_CPU), UpdateStatisticsOp);

}  // namespace
}  // namespace cascade
