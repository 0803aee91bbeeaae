// Convolution on tiny maps, as a matrix.
//

#pragma once

#include "common.h"

namespace cascade {
namespace {

// On a 2x2 map every position reaches every other, so a 3x3 convolution of stride 1 is a full matrix from
// (position, input channel) to (position, output channel): 16 products a channel pair instead of a padded 36.

// For each pair of positions (from, to) the tap that joins them, or -1.
std::vector<int64_t> TapsBetween(int64_t height, int64_t width, int64_t size) {
  std::vector<int64_t> taps;
  for (int64_t from = 0; from < height * width; from++)
    for (int64_t to = 0; to < height * width; to++) {
      const int64_t a = from / width - to / width + size / 2, b = from % width - to % width + size / 2;
      taps.push_back(a < 0 || a >= size || b < 0 || b >= size ? -1 : a * size + b);
    }
  return taps;
}

// filter [k, k, C, C'] -> matrix [H W C, H W C'].
template <typename T>
class SpreadFilterOp : public OpKernel {
 public:
  explicit SpreadFilterOp(OpKernelConstruction* c) : OpKernel(c), height_(Attribute<int64_t>(c, "height")), width_(Attribute<int64_t>(c, "width")) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& filter = context->input(0);
    const int64_t positions = height_ * width_, inputs = filter.dim_size(2), outputs = filter.dim_size(3);
    const auto taps = TapsBetween(height_, width_, filter.dim_size(0));
    Tensor* matrix = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({positions * inputs, positions * outputs}), &matrix));
    const T* w = filter.flat<T>().data();
    T* out = matrix->flat<T>().data();
    ParallelFor(context, positions * inputs, positions * outputs, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++)
        for (int64_t to = 0; to < positions; to++) {
          const int64_t tap = taps[row / inputs * positions + to];
          T* part = out + (row * positions + to) * outputs;
          if (tap < 0)
            std::memset(part, 0, outputs * sizeof(T));
          else
            std::memcpy(part, w + (tap * inputs + row % inputs) * outputs, outputs * sizeof(T));
        }
    });
  }

 private:
  const int64_t height_, width_;
};

// The gradient of SpreadFilter: matrix [H W C, H W C'] -> [k, k, C, C'], the sum over all places a tap was put.
template <typename T>
class GatherFilterOp : public OpKernel {
 public:
  explicit GatherFilterOp(OpKernelConstruction* c)
      : OpKernel(c), height_(Attribute<int64_t>(c, "height")), width_(Attribute<int64_t>(c, "width")), size_(Attribute<int64_t>(c, "size")) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& matrix = context->input(0);
    const int64_t positions = height_ * width_, inputs = matrix.dim_size(0) / positions, outputs = matrix.dim_size(1) / positions;
    const auto taps = TapsBetween(height_, width_, size_);
    Tensor* filter = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({size_, size_, inputs, outputs}), &filter));
    const T* in = matrix.flat<T>().data();
    float* out = filter->flat<float>().data();
    ParallelFor(context, size_ * size_ * inputs, positions * outputs, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; item++) {
        float* __restrict sum = out + item * outputs;
        std::memset(sum, 0, outputs * sizeof(float));
        for (size_t pair = 0; pair < taps.size(); pair++) {
          if (taps[pair] != item / inputs) continue;
          const int64_t from = pair / positions, to = pair % positions;
          const T* __restrict part = in + ((from * inputs + item % inputs) * positions + to) * outputs;
          for (int64_t k = 0; k < outputs; k++) sum[k] += Load(part[k]);
        }
      }
    });
  }

 private:
  const int64_t height_, width_, size_;
};

REGISTER_OP("CascadeSpreadFilter").Attr("T: {float, bfloat16}").Attr("height: int").Attr("width: int").Input("filter: T").Output("matrix: T");
REGISTER_OP("CascadeGatherFilter")
    .Attr("T: {float, bfloat16}").Attr("height: int").Attr("width: int").Attr("size: int").Input("matrix: T").Output("filter: float");

REGISTER_FOR_STORED_TYPES("CascadeSpreadFilter", SpreadFilterOp);
REGISTER_FOR_STORED_TYPES("CascadeGatherFilter", GatherFilterOp);

}  // namespace
}  // namespace cascade
