// Batch norm by timestep, with its ReLU.

#pragma once

#include "common.h"

namespace cascade {
namespace {

// Positions summed together before partial sums are added up.
constexpr int64_t kPositionsPerBlock = 512;

// A stretch of positions of one distinct step.
struct Block {
  int64_t step;
  int64_t first;  // position in [0, N H W)
  int64_t count;
};

std::vector<Block> BlocksOf(const std::vector<int64_t>& rows, int64_t positions_per_row) {
  std::vector<Block> blocks;
  int64_t start = 0;
  for (size_t d = 0; d < rows.size(); d++) {
    const int64_t end = start + rows[d] * positions_per_row;
    for (int64_t p = start; p < end; p += kPositionsPerBlock)
      blocks.push_back({static_cast<int64_t>(d), p, std::min(kPositionsPerBlock, end - p)});
    start = end;
  }
  return blocks;
}

// Adds the blocks' partial sums [blocks, 2 C] up by step, in order: -> [D, 2 C].
template <typename Sum>
std::vector<double> SumBySteps(const std::vector<Block>& blocks, const std::vector<Sum>& partial, int64_t steps, int64_t width) {
  std::vector<double> sums(steps * width, 0.0);
  for (size_t k = 0; k < blocks.size(); k++) {
    double* __restrict sum = &sums[blocks[k].step * width];
    const Sum* __restrict part = &partial[k * width];
    for (int64_t i = 0; i < width; i++) sum[i] += part[i];
  }
  return sums;
}

// y = gain x + bias, in the width of gain and bias; the backward pass finds the same sign again.
template <typename Sum>
inline float Affine(float x, Sum gain, Sum bias) {
  return static_cast<float>(std::fma(static_cast<Sum>(x), gain, bias));
}

// gain = scale / sqrt(variance + epsilon), bias = offset - gain mean: the same numbers forward and backward.
template <typename Sum>
void SetAffine(float scale, float offset, float mean, float variance, float epsilon, Sum* gain, Sum* bias) {
  const double exact = scale / std::sqrt(static_cast<double>(variance) + epsilon);
  *gain = static_cast<Sum>(exact);
  *bias = static_cast<Sum>(offset - exact * static_cast<double>(mean));
}

// mean and variance (biased) of each distinct step; y = relu?(scale (x - mean) / sqrt(variance + epsilon) + offset).
template <typename T>
class NormalizeOp : public OpKernel {
 public:
  explicit NormalizeOp(OpKernelConstruction* c)
      : OpKernel(c), rows_(IntegerList(c, "rows")), epsilon_(Attribute<float>(c, "epsilon")), relu_(Attribute<bool>(c, "relu")) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    if (!ShapesAgree(context, rows_, x)) return;
    const int64_t steps = rows_.size(), channels = x.dim_size(3), positions_per_row = x.dim_size(1) * x.dim_size(2);
    const float* scale = context->input(1).flat<float>().data();
    const float* offset = context->input(2).flat<float>().data();
    Tensor *y = nullptr, *mean = nullptr, *variance = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, x.shape(), &y));
    OP_REQUIRES_OK(context, context->allocate_output(1, TensorShape({steps, channels}), &mean));
    OP_REQUIRES_OK(context, context->allocate_output(2, TensorShape({steps, channels}), &variance));
    const T* in = x.flat<T>().data();
    T* out = y->flat<T>().data();

    const auto blocks = BlocksOf(rows_, positions_per_row);
    std::vector<Wide<T>> partial(blocks.size() * 2 * channels, 0);
    ParallelFor(context, blocks.size(), kPositionsPerBlock * channels, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; k++) {
        Wide<T>* __restrict sum = &partial[k * 2 * channels];
        Wide<T>* __restrict squares = sum + channels;
        const T* __restrict p = in + blocks[k].first * channels;
        for (int64_t i = 0; i < blocks[k].count; i++, p += channels)
          for (int64_t c = 0; c < channels; c++) {
            const Wide<T> value = Load(p[c]);
            sum[c] += value;
            squares[c] += value * value;
          }
      }
    });
    const auto sums = SumBySteps(blocks, partial, steps, 2 * channels);
    std::vector<Wide<T>> gain(steps * channels), bias(steps * channels);
    for (int64_t d = 0; d < steps; d++) {
      const double n = static_cast<double>(rows_[d] * positions_per_row);
      for (int64_t c = 0; c < channels; c++) {
        const double m = sums[d * 2 * channels + c] / n;
        const double v = std::max(0.0, sums[d * 2 * channels + channels + c] / n - m * m);
        const int64_t i = d * channels + c;
        mean->flat<float>().data()[i] = static_cast<float>(m);
        variance->flat<float>().data()[i] = static_cast<float>(v);
        // The backward pass knows mean and variance as floats: both passes use those.
        SetAffine(scale[i], offset[i], static_cast<float>(m), static_cast<float>(v), epsilon_, &gain[i], &bias[i]);
      }
    }
    ParallelFor(context, blocks.size(), kPositionsPerBlock * channels, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; k++) {
        const Wide<T>* __restrict a = &gain[blocks[k].step * channels];
        const Wide<T>* __restrict b = &bias[blocks[k].step * channels];
        const T* __restrict p = in + blocks[k].first * channels;
        T* __restrict q = out + blocks[k].first * channels;
        for (int64_t i = 0; i < blocks[k].count; i++, p += channels, q += channels) {
          if (relu_)
            for (int64_t c = 0; c < channels; c++) q[c] = Stored<T>(std::max(Affine(Load(p[c]), a[c], b[c]), 0.0f));
          else
            for (int64_t c = 0; c < channels; c++) q[c] = Stored<T>(Affine(Load(p[c]), a[c], b[c]));
        }
      }
    });
  }

 private:
  const std::vector<int64_t> rows_;
  const float epsilon_;
  const bool relu_;
};

// With n the values of a channel in a step and xn = (x - mean) / sqrt(variance + epsilon):
//   dx = scale / sqrt(variance + epsilon) (dy - sum(dy) / n - xn sum(dy xn) / n),  dscale = sum(dy xn),  doffset = sum(dy)
template <typename T>
class NormalizeGradientOp : public OpKernel {
 public:
  explicit NormalizeGradientOp(OpKernelConstruction* c)
      : OpKernel(c), rows_(IntegerList(c, "rows")), epsilon_(Attribute<float>(c, "epsilon")), relu_(Attribute<bool>(c, "relu")) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& dy = context->input(0);
    const Tensor& x = context->input(1);
    if (!ShapesAgree(context, rows_, x) || !ShapesAgree(context, rows_, dy)) return;
    const int64_t steps = rows_.size(), channels = x.dim_size(3), positions_per_row = x.dim_size(1) * x.dim_size(2);
    const float* scale = context->input(2).flat<float>().data();
    const float* offset = context->input(3).flat<float>().data();
    const float* mean = context->input(4).flat<float>().data();
    const float* variance = context->input(5).flat<float>().data();
    Tensor *dx = nullptr, *dscale = nullptr, *doffset = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, x.shape(), &dx));
    OP_REQUIRES_OK(context, context->allocate_output(1, TensorShape({steps, channels}), &dscale));
    OP_REQUIRES_OK(context, context->allocate_output(2, TensorShape({steps, channels}), &doffset));
    const T* in = x.flat<T>().data();
    const T* above = dy.flat<T>().data();
    T* out = dx->flat<T>().data();

    std::vector<Wide<T>> gain(steps * channels), bias(steps * channels);
    for (int64_t i = 0; i < steps * channels; i++) {
      SetAffine(scale[i], offset[i], mean[i], variance[i], epsilon_, &gain[i], &bias[i]);
    }
    const auto blocks = BlocksOf(rows_, positions_per_row);
    std::vector<Wide<T>> partial(blocks.size() * 2 * channels, 0);
    ParallelFor(context, blocks.size(), kPositionsPerBlock * channels, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; k++) {
        const int64_t step = blocks[k].step * channels, first = blocks[k].first * channels;
        const auto sum = relu_ ? SumGradients<true> : SumGradients<false>;
        sum(in + first, above + first, blocks[k].count, channels, &gain[step], &bias[step], mean + step, &partial[k * 2 * channels]);
      }
    });
    const auto sums = SumBySteps(blocks, partial, steps, 2 * channels);
    // dx = gain dy + slope x + intercept
    std::vector<Wide<T>> slope(steps * channels), intercept(steps * channels);
    for (int64_t d = 0; d < steps; d++) {
      const double n = static_cast<double>(rows_[d] * positions_per_row);
      for (int64_t c = 0; c < channels; c++) {
        const int64_t i = d * channels + c;
        const double sum = sums[d * 2 * channels + c], product = sums[d * 2 * channels + channels + c];
        const double inverse = 1.0 / std::sqrt(static_cast<double>(variance[i]) + epsilon_);
        dscale->flat<float>().data()[i] = static_cast<float>(product * inverse);
        doffset->flat<float>().data()[i] = static_cast<float>(sum);
        const double exact_slope = -gain[i] * inverse * inverse * product / n;
        slope[i] = static_cast<Wide<T>>(exact_slope);
        intercept[i] = static_cast<Wide<T>>(-gain[i] * sum / n - exact_slope * static_cast<double>(mean[i]));
      }
    }
    ParallelFor(context, blocks.size(), kPositionsPerBlock * channels, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; k++) {
        const int64_t step = blocks[k].step * channels, first = blocks[k].first * channels;
        const auto give = relu_ ? GiveGradients<true> : GiveGradients<false>;
        give(in + first, above + first, blocks[k].count, channels, &gain[step], &bias[step], &slope[step], &intercept[step], out + first);
      }
    });
  }

 private:
  // The gradient where the ReLU let through, else 0.
  template <bool relu>
  static inline Wide<T> Passed(float gradient, float value, Wide<T> gain, Wide<T> bias) {
    if (!relu) return gradient;
    return Affine(value, gain, bias) > 0.0f ? static_cast<Wide<T>>(gradient) : static_cast<Wide<T>>(0);
  }

  // sums: [2, C], of the gradients and of the gradients times (x - mean).
  template <bool relu>
  static void SumGradients(const T* __restrict x, const T* __restrict dy, int64_t positions, int64_t channels, const Wide<T>* __restrict gain,
                           const Wide<T>* __restrict bias, const float* __restrict mean, Wide<T>* __restrict sums) {
    Wide<T>* __restrict products = sums + channels;
    for (int64_t i = 0; i < positions; i++, x += channels, dy += channels)
      for (int64_t c = 0; c < channels; c++) {
        const Wide<T> gradient = Passed<relu>(Load(dy[c]), Load(x[c]), gain[c], bias[c]);
        sums[c] += gradient;
        products[c] += gradient * (static_cast<Wide<T>>(Load(x[c])) - mean[c]);
      }
  }

  // dx = gain dy + slope x + intercept
  template <bool relu>
  static void GiveGradients(const T* __restrict x, const T* __restrict dy, int64_t positions, int64_t channels, const Wide<T>* __restrict gain,
                            const Wide<T>* __restrict bias, const Wide<T>* __restrict slope, const Wide<T>* __restrict intercept, T* __restrict dx) {
    for (int64_t i = 0; i < positions; i++, x += channels, dy += channels, dx += channels)
      for (int64_t c = 0; c < channels; c++) {
        const Wide<T> gradient = Passed<relu>(Load(dy[c]), Load(x[c]), gain[c], bias[c]);
        dx[c] = Stored<T>(static_cast<float>(std::fma(gradient, gain[c], std::fma(static_cast<Wide<T>>(Load(x[c])), slope[c], intercept[c]))));
      }
  }

  const std::vector<int64_t> rows_;
  const float epsilon_;
  const bool relu_;
};

// y = relu?(x gain + bias), gain and bias [D, C].
template <typename T>
class ScaleAndShiftOp : public OpKernel {
 public:
  explicit ScaleAndShiftOp(OpKernelConstruction* c) : OpKernel(c), rows_(IntegerList(c, "rows")), relu_(Attribute<bool>(c, "relu")) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    if (!ShapesAgree(context, rows_, x)) return;
    const int64_t channels = x.dim_size(3);
    const float* gain = context->input(1).flat<float>().data();
    const float* bias = context->input(2).flat<float>().data();
    Tensor* y = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, x.shape(), &y));
    const T* in = x.flat<T>().data();
    T* out = y->flat<T>().data();
    const auto blocks = BlocksOf(rows_, x.dim_size(1) * x.dim_size(2));
    ParallelFor(context, blocks.size(), kPositionsPerBlock * channels / 4, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; k++) {
        const float* __restrict a = gain + blocks[k].step * channels;
        const float* __restrict b = bias + blocks[k].step * channels;
        const T* __restrict p = in + blocks[k].first * channels;
        T* __restrict q = out + blocks[k].first * channels;
        for (int64_t i = 0; i < blocks[k].count; i++, p += channels, q += channels) {
          if (relu_)
            for (int64_t c = 0; c < channels; c++) q[c] = Stored<T>(std::max(std::fma(Load(p[c]), a[c], b[c]), 0.0f));
          else
            for (int64_t c = 0; c < channels; c++) q[c] = Stored<T>(std::fma(Load(p[c]), a[c], b[c]));
        }
      }
    });
  }

 private:
  const std::vector<int64_t> rows_;
  const bool relu_;
};

REGISTER_OP("CascadeNormalize")
    .Attr("T: {float, bfloat16}").Attr("rows: list(int)").Attr("epsilon: float").Attr("relu: bool")
    .Input("x: T").Input("scale: float").Input("offset: float")
    .Output("y: T").Output("mean: float").Output("variance: float");
REGISTER_OP("CascadeNormalizeGradient")
    .Attr("T: {float, bfloat16}").Attr("rows: list(int)").Attr("epsilon: float").Attr("relu: bool")
    .Input("dy: T").Input("x: T").Input("scale: float").Input("offset: float").Input("mean: float").Input("variance: float")
    .Output("dx: T").Output("dscale: float").Output("doffset: float");
REGISTER_OP("CascadeScaleAndShift")
    .Attr("T: {float, bfloat16}").Attr("rows: list(int)").Attr("relu: bool")
    .Input("x: T").Input("gain: float").Input("bias: float").Output("y: T");

REGISTER_FOR_STORED_TYPES("CascadeNormalize", NormalizeOp);
REGISTER_FOR_STORED_TYPES("CascadeNormalizeGradient", NormalizeGradientOp);
REGISTER_FOR_STORED_TYPES("CascadeScaleAndShift", ScaleAndShiftOp);

}  // namespace
}  // namespace cascade
