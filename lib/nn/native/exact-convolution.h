// Convolution, summed in double.
//

#pragma once

#include "common.h"

namespace cascade {
namespace {

// TensorFlow's float32 convolution adds thousands of products in float32. That is fast, and near enough for training,
// but a ReLU whose input is nearly zero may flip on the rounding. These plain loops add in double and round once, and
// so are what the reference numbers are compared by.

struct ConvolutionShape {
  int64_t batch, height, width, inputs, size, outputs, stride, padding, out_height, out_width;
};

ConvolutionShape ShapeOf(int64_t batch, int64_t height, int64_t width, const TensorShape& filter, int64_t stride) {
  const int64_t size = filter.dim_size(0), padding = size / 2;
  return {batch, height, width, filter.dim_size(2), size, filter.dim_size(3), stride, padding,
          (height + 2 * padding - size) / stride + 1, (width + 2 * padding - size) / stride + 1};
}

class ExactConvolveOp : public OpKernel {
 public:
  explicit ExactConvolveOp(OpKernelConstruction* c) : OpKernel(c), stride_(Attribute<int64_t>(c, "stride")) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    const Tensor& filter = context->input(1);
    const auto s = ShapeOf(x.dim_size(0), x.dim_size(1), x.dim_size(2), filter.shape(), stride_);
    Tensor* y = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({s.batch, s.out_height, s.out_width, s.outputs}), &y));
    const float* in = x.flat<float>().data();
    float* out = y->flat<float>().data();
    const std::vector<double> w(filter.flat<float>().data(), filter.flat<float>().data() + filter.NumElements());
    const int64_t positions = s.batch * s.out_height * s.out_width;
    ParallelFor(context, positions, s.size * s.size * s.inputs * s.outputs, [&](int64_t begin, int64_t end) {
      std::vector<double> sum(s.outputs);
      for (int64_t p = begin; p < end; p++) {
        const int64_t n = p / (s.out_height * s.out_width), i = p / s.out_width % s.out_height, j = p % s.out_width;
        std::fill(sum.begin(), sum.end(), 0.0);
        for (int64_t a = 0; a < s.size; a++)
          for (int64_t b = 0; b < s.size; b++) {
            const int64_t row = i * s.stride + a - s.padding, column = j * s.stride + b - s.padding;
            if (row < 0 || row >= s.height || column < 0 || column >= s.width) continue;
            const float* values = in + ((n * s.height + row) * s.width + column) * s.inputs;
            const double* taps = &w[(a * s.size + b) * s.inputs * s.outputs];
            for (int64_t c = 0; c < s.inputs; c++)
              for (int64_t k = 0; k < s.outputs; k++) sum[k] += values[c] * taps[c * s.outputs + k];
          }
        for (int64_t k = 0; k < s.outputs; k++) out[p * s.outputs + k] = static_cast<float>(sum[k]);
      }
    });
  }

 private:
  const int64_t stride_;
};

class ExactConvolveInputGradientOp : public OpKernel {
 public:
  explicit ExactConvolveInputGradientOp(OpKernelConstruction* c)
      : OpKernel(c), stride_(Attribute<int64_t>(c, "stride")), height_(Attribute<int64_t>(c, "height")), width_(Attribute<int64_t>(c, "width")) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& dy = context->input(0);
    const Tensor& filter = context->input(1);
    const auto s = ShapeOf(dy.dim_size(0), height_, width_, filter.shape(), stride_);
    Tensor* dx = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({s.batch, s.height, s.width, s.inputs}), &dx));
    const float* above = dy.flat<float>().data();
    const float* taps = filter.flat<float>().data();
    float* out = dx->flat<float>().data();
    std::vector<double> turned(filter.NumElements());  // [tap][output][input]
    for (int64_t tap = 0; tap < s.size * s.size; tap++)
      for (int64_t c = 0; c < s.inputs; c++)
        for (int64_t k = 0; k < s.outputs; k++) turned[(tap * s.outputs + k) * s.inputs + c] = taps[(tap * s.inputs + c) * s.outputs + k];
    const int64_t positions = s.batch * s.height * s.width;
    ParallelFor(context, positions, s.size * s.size * s.inputs * s.outputs, [&](int64_t begin, int64_t end) {
      std::vector<double> sum(s.inputs);
      for (int64_t p = begin; p < end; p++) {
        const int64_t n = p / (s.height * s.width), row = p / s.width % s.height, column = p % s.width;
        std::fill(sum.begin(), sum.end(), 0.0);
        for (int64_t a = 0; a < s.size; a++)
          for (int64_t b = 0; b < s.size; b++) {
            const int64_t i = row + s.padding - a, j = column + s.padding - b;
            if (i < 0 || j < 0 || i % s.stride != 0 || j % s.stride != 0 || i / s.stride >= s.out_height || j / s.stride >= s.out_width) continue;
            const float* gradient = above + ((n * s.out_height + i / s.stride) * s.out_width + j / s.stride) * s.outputs;
            const double* w = &turned[(a * s.size + b) * s.outputs * s.inputs];
            for (int64_t k = 0; k < s.outputs; k++)
              for (int64_t c = 0; c < s.inputs; c++) sum[c] += gradient[k] * w[k * s.inputs + c];
          }
        for (int64_t c = 0; c < s.inputs; c++) out[p * s.inputs + c] = static_cast<float>(sum[c]);
      }
    });
  }

 private:
  const int64_t stride_, height_, width_;
};

class ExactConvolveFilterGradientOp : public OpKernel {
 public:
  explicit ExactConvolveFilterGradientOp(OpKernelConstruction* c)
      : OpKernel(c), stride_(Attribute<int64_t>(c, "stride")), size_(Attribute<int64_t>(c, "size")) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    const Tensor& dy = context->input(1);
    const TensorShape filter({size_, size_, x.dim_size(3), dy.dim_size(3)});
    const auto s = ShapeOf(x.dim_size(0), x.dim_size(1), x.dim_size(2), filter, stride_);
    Tensor* dw = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, filter, &dw));
    const float* in = x.flat<float>().data();
    const float* above = dy.flat<float>().data();
    float* out = dw->flat<float>().data();
    ParallelFor(context, s.size * s.size * s.inputs, s.batch * s.out_height * s.out_width * s.outputs, [&](int64_t begin, int64_t end) {
      std::vector<double> sum(s.outputs);
      for (int64_t item = begin; item < end; item++) {
        const int64_t a = item / s.inputs / s.size, b = item / s.inputs % s.size, c = item % s.inputs;
        std::fill(sum.begin(), sum.end(), 0.0);
        for (int64_t n = 0; n < s.batch; n++)
          for (int64_t i = 0; i < s.out_height; i++)
            for (int64_t j = 0; j < s.out_width; j++) {
              const int64_t row = i * s.stride + a - s.padding, column = j * s.stride + b - s.padding;
              if (row < 0 || row >= s.height || column < 0 || column >= s.width) continue;
              const double value = in[((n * s.height + row) * s.width + column) * s.inputs + c];
              const float* gradient = above + ((n * s.out_height + i) * s.out_width + j) * s.outputs;
              for (int64_t k = 0; k < s.outputs; k++) sum[k] += value * gradient[k];
            }
        for (int64_t k = 0; k < s.outputs; k++) out[item * s.outputs + k] = static_cast<float>(sum[k]);
      }
    });
  }

 private:
  const int64_t stride_, size_;
};

REGISTER_OP("CascadeExactConvolve").Attr("stride: int").Input("x: float").Input("filter: float").Output("y: float");
REGISTER_OP("CascadeExactConvolveInputGradient")
    .Attr("stride: int").Attr("height: int").Attr("width: int").Input("dy: float").Input("filter: float").Output("dx: float");
REGISTER_OP("CascadeExactConvolveFilterGradient").Attr("stride: int").Attr("size: int").Input("x: float").Input("dy: float").Output("dw: float");

REGISTER_KERNEL_BUILDER(Name("CascadeExactConvolve").Device(DEVICE_CPU), ExactConvolveOp);
REGISTER_KERNEL_BUILDER(Name("CascadeExactConvolveInputGradient").Device(DEVICE_CPU), ExactConvolveInputGradientOp);
REGISTER_KERNEL_BUILDER(Name("CascadeExactConvolveFilterGradient").Device(DEVICE_CPU), ExactConvolveFilterGradientOp);

}  // namespace
}  // namespace cascade
