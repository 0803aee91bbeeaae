// Every stride-th position of a map, which is all that a strided 1x1 convolution reads, and the way back.

#pragma once

#include "common.h"

namespace cascade {
namespace {

// x [N, H, W, C] -> y [N, H / stride, W / stride, C], rounded up
template <typename T>
class EveryPositionOp : public OpKernel {
 public:
  explicit EveryPositionOp(OpKernelConstruction* c) : OpKernel(c), stride_(Attribute<int64_t>(c, "stride")) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    const int64_t batch = x.dim_size(0), height = x.dim_size(1), width = x.dim_size(2), channels = x.dim_size(3);
    const int64_t rows = Quotient(height, stride_), columns = Quotient(width, stride_);
    Tensor* y = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({batch, rows, columns, channels}), &y));
    const T* from = x.flat<T>().data();
    T* to = y->flat<T>().data();
    ParallelFor(context, batch * rows, columns * channels, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++)
        for (int64_t column = 0; column < columns; column++)
          std::copy_n(from + ((row / rows * height + row % rows * stride_) * width + column * stride_) * channels, channels, to + (row * columns + column) * channels);
    });
  }

 private:
  const int64_t stride_;
};

// The gradient of EveryPosition: dy -> dx [N, height, width, C], nothing at the positions between.
template <typename T>
class EveryPositionGradientOp : public OpKernel {
 public:
  explicit EveryPositionGradientOp(OpKernelConstruction* c)
      : OpKernel(c), stride_(Attribute<int64_t>(c, "stride")), height_(Attribute<int64_t>(c, "height")), width_(Attribute<int64_t>(c, "width")) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& dy = context->input(0);
    const int64_t batch = dy.dim_size(0), rows = dy.dim_size(1), columns = dy.dim_size(2), channels = dy.dim_size(3);
    Tensor* dx = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({batch, height_, width_, channels}), &dx));
    const T* from = dy.flat<T>().data();
    T* to = dx->flat<T>().data();
    ParallelFor(context, batch * height_, width_ * channels, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) {
        T* line = to + row * width_ * channels;
        std::fill_n(line, width_ * channels, Stored<T>(0.0f));
        if (row % height_ % stride_ != 0) continue;
        const T* above = from + (row / height_ * rows + row % height_ / stride_) * columns * channels;
        for (int64_t column = 0; column < columns; column++) std::copy_n(above + column * channels, channels, line + column * stride_ * channels);
      }
    });
  }

 private:
  const int64_t stride_, height_, width_;
};

REGISTER_OP("CascadeEveryPosition").Attr("T: {float, bfloat16}").Attr("stride: int").Input("x: T").Output("y: T");
REGISTER_OP("CascadeEveryPositionGradient").Attr("T: {float, bfloat16}").Attr("stride: int").Attr("height: int").Attr("width: int").Input("dy: T").Output("dx: T");

REGISTER_FOR_STORED_TYPES("CascadeEveryPosition", EveryPositionOp);
REGISTER_FOR_STORED_TYPES("CascadeEveryPositionGradient", EveryPositionGradientOp);

}  // namespace
}  // namespace cascade
