// Convolution and its gradients.

#pragma once

#include "operation.h"

namespace cascade {
namespace {

class ConvolutionOperation : public Operation {
 public:
  explicit ConvolutionOperation(OpKernelConstruction* c)
      : Operation(c), stride(Attribute<int64_t>(c, "stride")),
        accumulation(Attribute<bool>(c, "float64_sums") ? Accumulation::kFloat64Sums : Accumulation::kFast) {}

 protected:
  ConvolutionShape ShapeOf(int64_t batch, int64_t height, int64_t width, const TensorShape& filter) const {
    return {batch, height, width, filter.dim_size(2), filter.dim_size(0), filter.dim_size(3), stride};
  }

  const int64_t stride;
  const Accumulation accumulation;
};

class ConvolveOp final : public ConvolutionOperation {
 public:
  explicit ConvolveOp(OpKernelConstruction* c) : ConvolutionOperation(c), rows_(Integers(c, "rows")), relu_(Attribute<bool>(c, "relu")) {}

 protected:
  void Compute(const Call& call) override {
    const Tensor& x = call.Input(0);
    RequireRows(rows_, x);
    const auto shape = ShapeOf(x.dim_size(0), x.dim_size(1), x.dim_size(2), call.Input(1).shape());
    const bool has_epilogue = call.context->num_inputs() > 2;
    const Epilogue epilogue = has_epilogue ? Epilogue{call.Floats(2), call.Floats(3), rows_, relu_} : Epilogue{};
    void* y = call.Output(0, TensorShape({shape.batch, shape.OutHeight(), shape.OutWidth(), shape.outputs}));
    call.arithmetic.Convolve(call.threads, call.DtypeOf(0), accumulation, shape, epilogue, call.Data(0), call.Floats(1), y);
  }

 private:
  const std::vector<int64_t> rows_;
  const bool relu_;
};

class ConvolveInputGradientOp final : public ConvolutionOperation {
 public:
  explicit ConvolveInputGradientOp(OpKernelConstruction* c)
      : ConvolutionOperation(c), height_(Attribute<int64_t>(c, "height")), width_(Attribute<int64_t>(c, "width")) {}

 protected:
  void Compute(const Call& call) override {
    const auto shape = ShapeOf(call.Input(0).dim_size(0), height_, width_, call.Input(1).shape());
    void* dx = call.Output(0, TensorShape({shape.batch, height_, width_, shape.inputs}));
    call.arithmetic.ConvolveInputGradient(call.threads, call.DtypeOf(0), accumulation, shape, call.Data(0), call.Floats(1), dx);
  }

 private:
  const int64_t height_, width_;
};

class ConvolveFilterGradientOp final : public ConvolutionOperation {
 public:
  explicit ConvolveFilterGradientOp(OpKernelConstruction* c) : ConvolutionOperation(c), size_(Attribute<int64_t>(c, "size")) {}

 protected:
  void Compute(const Call& call) override {
    const Tensor& x = call.Input(0);
    const TensorShape filter({size_, size_, x.dim_size(3), call.Input(1).dim_size(3)});
    const auto shape = ShapeOf(x.dim_size(0), x.dim_size(1), x.dim_size(2), filter);
    float* dw = call.FloatOutput(0, filter);
    call.arithmetic.ConvolveFilterGradient(call.threads, call.DtypeOf(0), accumulation, shape, call.Data(0), call.Data(1), dw);
  }

 private:
  const int64_t size_;
};

#define CONVOLUTION_OPERATION(name) REGISTER_OP(name).Attr("T: {float, bfloat16}").Attr("stride: int").Attr("float64_sums: bool")

CONVOLUTION_OPERATION("CascadeConvolve")
    .Attr("rows: list(int)").Attr("relu: bool").Attr("epilogue: int >= 0")
    .Input("x: T").Input("filter: float").Input("gain_and_bias: epilogue * float").Output("y: T");
CONVOLUTION_OPERATION("CascadeConvolveInputGradient")
    .Attr("height: int").Attr("width: int").Input("dy: T").Input("filter: float").Output("dx: T");
CONVOLUTION_OPERATION("CascadeConvolveFilterGradient").Attr("size: int").Input("x: T").Input("dy: T").Output("dw: float");

REGISTER_OPERATION("CascadeConvolve", ConvolveOp);
REGISTER_OPERATION("CascadeConvolveInputGradient", ConvolveInputGradientOp);
REGISTER_OPERATION("CascadeConvolveFilterGradient", ConvolveFilterGradientOp);

}  // namespace
}  // namespace cascade
