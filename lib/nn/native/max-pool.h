// 3x3 max-pool, stride 2, padding 1.

#pragma once

#include "common.h"

namespace cascade {
namespace {

struct PoolShape {
  explicit PoolShape(const Tensor& x)
      : batch(x.dim_size(0)), height(x.dim_size(1)), width(x.dim_size(2)), channels(x.dim_size(3)),
        out_height((height - 1) / 2 + 1), out_width((width - 1) / 2 + 1) {}
  const int64_t batch, height, width, channels, out_height, out_width;

  // Calls work(position) for each position of image n under the window of output (i, j).
  template <typename Work>
  void ForWindow(int64_t n, int64_t i, int64_t j, const Work& work) const {
    for (int64_t row = std::max<int64_t>(2 * i - 1, 0); row <= std::min(2 * i + 1, height - 1); row++)
      for (int64_t column = std::max<int64_t>(2 * j - 1, 0); column <= std::min(2 * j + 1, width - 1); column++)
        work((n * height + row) * width + column);
  }
};

template <typename T>
class MaxPoolOp : public OpKernel {
 public:
  explicit MaxPoolOp(OpKernelConstruction* c) : OpKernel(c) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    const PoolShape s(x);
    Tensor* y = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({s.batch, s.out_height, s.out_width, s.channels}), &y));
    const T* in = x.flat<T>().data();
    T* out = y->flat<T>().data();
    ParallelFor(context, s.batch * s.out_height, 9 * s.out_width * s.channels / 4, [&](int64_t begin, int64_t end) {
      std::vector<float> largest(s.channels);
      for (int64_t item = begin; item < end; item++)
        for (int64_t j = 0; j < s.out_width; j++) {
          float* __restrict most = largest.data();
          std::fill(largest.begin(), largest.end(), -INFINITY);
          s.ForWindow(item / s.out_height, item % s.out_height, j, [&](int64_t position) {
            const T* __restrict p = in + position * s.channels;
            for (int64_t c = 0; c < s.channels; c++) most[c] = std::max(most[c], Load(p[c]));
          });
          T* __restrict q = out + (item * s.out_width + j) * s.channels;
          for (int64_t c = 0; c < s.channels; c++) q[c] = Stored<T>(most[c]);
        }
    });
  }
};

// The gradient goes to the first position of the window that holds its maximum.
template <typename T>
class MaxPoolGradientOp : public OpKernel {
 public:
  explicit MaxPoolGradientOp(OpKernelConstruction* c) : OpKernel(c) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(1);
    const PoolShape s(x);
    Tensor* dx = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, x.shape(), &dx));
    const T* above = context->input(0).flat<T>().data();
    const T* in = x.flat<T>().data();
    const T* y = context->input(2).flat<T>().data();
    T* out = dx->flat<T>().data();
    ParallelFor(context, s.batch, 9 * s.out_height * s.out_width * s.channels, [&](int64_t begin, int64_t end) {
      const int64_t size = s.height * s.width * s.channels;
      std::vector<float> sums(size);
      std::vector<float> left(s.channels);  // what of the output's gradient has found no place yet
      for (int64_t n = begin; n < end; n++) {
        std::fill(sums.begin(), sums.end(), 0.0f);
        for (int64_t i = 0; i < s.out_height; i++)
          for (int64_t j = 0; j < s.out_width; j++) {
            const int64_t result = ((n * s.out_height + i) * s.out_width + j) * s.channels;
            const T* __restrict largest = y + result;
            for (int64_t c = 0; c < s.channels; c++) left[c] = Load(above[result + c]);
            float* __restrict rest = left.data();
            s.ForWindow(n, i, j, [&](int64_t position) {
              const T* __restrict p = in + position * s.channels;
              float* __restrict q = &sums[position * s.channels - n * size];
              for (int64_t c = 0; c < s.channels; c++) {
                const float given = Load(p[c]) == Load(largest[c]) ? rest[c] : 0.0f;
                q[c] += given;
                rest[c] -= given;
              }
            });
          }
        for (int64_t i = 0; i < size; i++) out[n * size + i] = Stored<T>(sums[i]);
      }
    });
  }
};

REGISTER_OP("CascadeMaxPool").Attr("T: {float, bfloat16}").Input("x: T").Output("y: T");
REGISTER_OP("CascadeMaxPoolGradient").Attr("T: {float, bfloat16}").Input("dy: T").Input("x: T").Input("y: T").Output("dx: T");

REGISTER_FOR_STORED_TYPES("CascadeMaxPool", MaxPoolOp);
REGISTER_FOR_STORED_TYPES("CascadeMaxPoolGradient", MaxPoolGradientOp);

}  // namespace
}  // namespace cascade
