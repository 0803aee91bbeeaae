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
  void Compute(OpKernelContext* context, const Arithmetic& arithmetic, const Threads& threads) override {
    const Tensor& x = context->input(0);
    const Tensor& filter = context->input(1);
    if (!ShapesAgree(context, rows_, x)) return;
    const auto shape = ShapeOf(x.dim_size(0), x.dim_size(1), x.dim_size(2), filter.shape());
    const bool has_epilogue = context->num_inputs() > 2;
    const Epilogue epilogue = has_epilogue ? Epilogue{Floats(context->input(2)), Floats(context->input(3)), rows_, relu_} : Epilogue{};
    void* y = Output(context, 0, TensorShape({shape.batch, shape.OutHeight(), shape.OutWidth(), shape.outputs}));
    if (y != nullptr) arithmetic.Convolve(threads, DtypeOf(x), accumulation, shape, epilogue, Data(x), Floats(filter), y);
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
  void Compute(OpKernelContext* context, const Arithmetic& arithmetic, const Threads& threads) override {
    const Tensor& dy = context->input(0);
    const Tensor& filter = context->input(1);
    const auto shape = ShapeOf(dy.dim_size(0), height_, width_, filter.shape());
    void* dx = Output(context, 0, TensorShape({shape.batch, height_, width_, shape.inputs}));
    if (dx != nullptr) arithmetic.ConvolveInputGradient(threads, DtypeOf(dy), accumulation, shape, Data(dy), Floats(filter), dx);
  }

 private:
  const int64_t height_, width_;
};

class ConvolveFilterGradientOp final : public ConvolutionOperation {
 public:
  explicit ConvolveFilterGradientOp(OpKernelConstruction* c) : ConvolutionOperation(c), size_(Attribute<int64_t>(c, "size")) {}

 protected:
  void Compute(OpKernelContext* context, const Arithmetic& arithmetic, const Threads& threads) override {
    const Tensor& x = context->input(0);
    const Tensor& dy = context->input(1);
    const TensorShape filter({size_, size_, x.dim_size(3), dy.dim_size(3)});
    const auto shape = ShapeOf(x.dim_size(0), x.dim_size(1), x.dim_size(2), filter);
    float* dw = FloatOutput(context, 0, filter);
    if (dw != nullptr) arithmetic.ConvolveFilterGradient(threads, DtypeOf(x), accumulation, shape, Data(x), Data(dy), dw);
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
