// The project's own TensorFlow operations: batch norm by timestep, and the meeting of delayed residual and shortcut.
//
// Values are NHWC with time folded into the first axis: [N, H, W, C]. `rows` lists how many of the N rows belong to
// each distinct step, in order. Every sum is taken over blocks of fixed size and in fixed order, so that results do
// not depend on the number of threads. lib/nn/ops.ts holds the same functions composed of TensorFlow's own
// operations; the tests hold the two together.

#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/lib/core/threadpool.h"

namespace cascade {

using tensorflow::DEVICE_CPU;
using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::TensorShape;

constexpr int64_t kVersion = 1;

// Positions summed together before partial sums are added up.
constexpr int64_t kPositionsPerBlock = 512;
// Floats of one image handled together where steps of different row counts meet.
constexpr int64_t kFloatsPerChunk = 512;

// Large activations come and go in every step. Left alone, malloc returns their pages to the system each time and
// faults them in again; kept in the heap they are reused.
const bool kHeapKept = [] {
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_TOP_PAD, 64 << 20);
  return true;
}();

std::vector<int64_t> IntegerList(OpKernelConstruction* construction, const char* name) {
  std::vector<int64_t> values;
  const auto status = construction->GetAttr(name, &values);
  if (!status.ok()) construction->CtxFailure(status);
  return values;
}

template <typename Value>
Value Attribute(OpKernelConstruction* construction, const char* name) {
  Value value{};
  const auto status = construction->GetAttr(name, &value);
  if (!status.ok()) construction->CtxFailure(status);
  return value;
}

std::vector<int64_t> FirstRows(const std::vector<int64_t>& rows) {
  std::vector<int64_t> first(rows.size() + 1, 0);
  for (size_t d = 0; d < rows.size(); d++) first[d + 1] = first[d] + rows[d];
  return first;
}

template <typename Work>
void ParallelFor(OpKernelContext* context, int64_t items, int64_t cost_per_item, const Work& work) {
  auto* pool = context->device()->tensorflow_cpu_worker_threads()->workers;
  pool->ParallelFor(items, std::max<int64_t>(cost_per_item, 1), work);
}

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
std::vector<double> SumBySteps(const std::vector<Block>& blocks, const std::vector<double>& partial, int64_t steps, int64_t width) {
  std::vector<double> sums(steps * width, 0.0);
  for (size_t k = 0; k < blocks.size(); k++) {
    double* __restrict sum = &sums[blocks[k].step * width];
    const double* __restrict part = &partial[k * width];
    for (int64_t i = 0; i < width; i++) sum[i] += part[i];
  }
  return sums;
}

// y = gain x + bias, in double, so that the backward pass finds the same sign again.
inline float Affine(float x, double gain, double bias) { return static_cast<float>(std::fma(static_cast<double>(x), gain, bias)); }

bool ShapesAgree(OpKernelContext* context, const std::vector<int64_t>& rows, const Tensor& x) {
  int64_t total = 0;
  for (const int64_t count : rows) total += count;
  if (x.dims() == 4 && x.dim_size(0) == total) return true;
  context->CtxFailure(tensorflow::errors::InvalidArgument("the rows of the distinct steps add up to ", total, ", the input is ", x.shape().DebugString()));
  return false;
}

// mean and variance (biased) of each distinct step; y = relu?(scale (x - mean) / sqrt(variance + epsilon) + offset).
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
    const float* in = x.flat<float>().data();
    float* out = y->flat<float>().data();

    const auto blocks = BlocksOf(rows_, positions_per_row);
    std::vector<double> partial(blocks.size() * 2 * channels, 0.0);
    ParallelFor(context, blocks.size(), kPositionsPerBlock * channels, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; k++) {
        double* __restrict sum = &partial[k * 2 * channels];
        double* __restrict squares = sum + channels;
        const float* __restrict p = in + blocks[k].first * channels;
        for (int64_t i = 0; i < blocks[k].count; i++, p += channels)
          for (int64_t c = 0; c < channels; c++) {
            const double value = p[c];
            sum[c] += value;
            squares[c] += value * value;
          }
      }
    });
    const auto sums = SumBySteps(blocks, partial, steps, 2 * channels);
    std::vector<double> gain(steps * channels), bias(steps * channels);
    for (int64_t d = 0; d < steps; d++) {
      const double n = static_cast<double>(rows_[d] * positions_per_row);
      for (int64_t c = 0; c < channels; c++) {
        const double m = sums[d * 2 * channels + c] / n;
        const double v = std::max(0.0, sums[d * 2 * channels + channels + c] / n - m * m);
        const int64_t i = d * channels + c;
        mean->flat<float>().data()[i] = static_cast<float>(m);
        variance->flat<float>().data()[i] = static_cast<float>(v);
        // The backward pass knows mean and variance as floats: both passes use those.
        gain[i] = scale[i] / std::sqrt(static_cast<double>(static_cast<float>(v)) + epsilon_);
        bias[i] = offset[i] - gain[i] * static_cast<double>(static_cast<float>(m));
      }
    }
    ParallelFor(context, blocks.size(), kPositionsPerBlock * channels, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; k++) {
        const double* __restrict a = &gain[blocks[k].step * channels];
        const double* __restrict b = &bias[blocks[k].step * channels];
        const float* __restrict p = in + blocks[k].first * channels;
        float* __restrict q = out + blocks[k].first * channels;
        for (int64_t i = 0; i < blocks[k].count; i++, p += channels, q += channels) {
          if (relu_)
            for (int64_t c = 0; c < channels; c++) q[c] = std::max(Affine(p[c], a[c], b[c]), 0.0f);
          else
            for (int64_t c = 0; c < channels; c++) q[c] = Affine(p[c], a[c], b[c]);
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
    const float* in = x.flat<float>().data();
    const float* above = dy.flat<float>().data();
    float* out = dx->flat<float>().data();

    std::vector<double> gain(steps * channels), bias(steps * channels);
    for (int64_t i = 0; i < steps * channels; i++) {
      gain[i] = scale[i] / std::sqrt(static_cast<double>(variance[i]) + epsilon_);
      bias[i] = offset[i] - gain[i] * static_cast<double>(mean[i]);
    }
    const auto blocks = BlocksOf(rows_, positions_per_row);
    std::vector<double> partial(blocks.size() * 2 * channels, 0.0);
    ParallelFor(context, blocks.size(), kPositionsPerBlock * channels, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; k++) {
        const int64_t step = blocks[k].step * channels, first = blocks[k].first * channels;
        const auto sum = relu_ ? SumGradients<true> : SumGradients<false>;
        sum(in + first, above + first, blocks[k].count, channels, &gain[step], &bias[step], mean + step, &partial[k * 2 * channels]);
      }
    });
    const auto sums = SumBySteps(blocks, partial, steps, 2 * channels);
    // dx = gain dy + slope x + intercept
    std::vector<double> slope(steps * channels), intercept(steps * channels);
    for (int64_t d = 0; d < steps; d++) {
      const double n = static_cast<double>(rows_[d] * positions_per_row);
      for (int64_t c = 0; c < channels; c++) {
        const int64_t i = d * channels + c;
        const double sum = sums[d * 2 * channels + c], product = sums[d * 2 * channels + channels + c];
        const double inverse = 1.0 / std::sqrt(static_cast<double>(variance[i]) + epsilon_);
        dscale->flat<float>().data()[i] = static_cast<float>(product * inverse);
        doffset->flat<float>().data()[i] = static_cast<float>(sum);
        slope[i] = -gain[i] * inverse * inverse * product / n;
        intercept[i] = -gain[i] * sum / n - slope[i] * static_cast<double>(mean[i]);
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
  static inline double Passed(float gradient, float value, double gain, double bias) {
    if (!relu) return gradient;
    return Affine(value, gain, bias) > 0.0f ? static_cast<double>(gradient) : 0.0;
  }

  // sums: [2, C], of the gradients and of the gradients times (x - mean).
  template <bool relu>
  static void SumGradients(const float* __restrict x, const float* __restrict dy, int64_t positions, int64_t channels, const double* __restrict gain,
                           const double* __restrict bias, const float* __restrict mean, double* __restrict sums) {
    double* __restrict products = sums + channels;
    for (int64_t i = 0; i < positions; i++, x += channels, dy += channels)
      for (int64_t c = 0; c < channels; c++) {
        const double gradient = Passed<relu>(dy[c], x[c], gain[c], bias[c]);
        sums[c] += gradient;
        products[c] += gradient * (static_cast<double>(x[c]) - mean[c]);
      }
  }

  // dx = gain dy + slope x + intercept
  template <bool relu>
  static void GiveGradients(const float* __restrict x, const float* __restrict dy, int64_t positions, int64_t channels, const double* __restrict gain,
                            const double* __restrict bias, const double* __restrict slope, const double* __restrict intercept, float* __restrict dx) {
    for (int64_t i = 0; i < positions; i++, x += channels, dy += channels, dx += channels)
      for (int64_t c = 0; c < channels; c++) {
        const double gradient = Passed<relu>(dy[c], x[c], gain[c], bias[c]);
        dx[c] = static_cast<float>(std::fma(gradient, gain[c], std::fma(static_cast<double>(x[c]), slope[c], intercept[c])));
      }
  }

  const std::vector<int64_t> rows_;
  const float epsilon_;
  const bool relu_;
};

// y = relu?(x gain + bias), gain and bias [D, C].
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
    const float* in = x.flat<float>().data();
    float* out = y->flat<float>().data();
    const auto blocks = BlocksOf(rows_, x.dim_size(1) * x.dim_size(2));
    ParallelFor(context, blocks.size(), kPositionsPerBlock * channels / 4, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; k++) {
        const float* __restrict a = gain + blocks[k].step * channels;
        const float* __restrict b = bias + blocks[k].step * channels;
        const float* __restrict p = in + blocks[k].first * channels;
        float* __restrict q = out + blocks[k].first * channels;
        for (int64_t i = 0; i < blocks[k].count; i++, p += channels, q += channels) {
          if (relu_)
            for (int64_t c = 0; c < channels; c++) q[c] = std::max(std::fma(p[c], a[c], b[c]), 0.0f);
          else
            for (int64_t c = 0; c < channels; c++) q[c] = std::fma(p[c], a[c], b[c]);
        }
      }
    });
  }

 private:
  const std::vector<int64_t> rows_;
  const bool relu_;
};

// How delayed residual and shortcut meet, over the distinct steps d of the result (lib/nn/delay.ts):
//   z[d] = carry z[d-1] + gain u[residual[d]],   y[d] = relu?(z[d] + x[shortcut[d]])
// z counts from d = first_counted on; an index of -1 counts as zero; a one-row step meets every row of the others.
struct MergePlan {
  explicit MergePlan(OpKernelConstruction* c)
      : residual_rows(IntegerList(c, "residual_rows")),
        shortcut_rows(IntegerList(c, "shortcut_rows")),
        rows(IntegerList(c, "rows")),
        residual(IntegerList(c, "residual")),
        shortcut(IntegerList(c, "shortcut")),
        residual_first(FirstRows(residual_rows)),
        shortcut_first(FirstRows(shortcut_rows)),
        first(FirstRows(rows)),
        batch(*std::max_element(rows.begin(), rows.end())),
        first_counted(Attribute<int64_t>(c, "first_counted")),
        carry(Attribute<float>(c, "carry")),
        gain(Attribute<float>(c, "gain")),
        relu(Attribute<bool>(c, "relu")) {}

  const std::vector<int64_t> residual_rows, shortcut_rows, rows, residual, shortcut;
  const std::vector<int64_t> residual_first, shortcut_first, first;
  const int64_t batch, first_counted;
  const float carry, gain;
  const bool relu;
};

// Row of image b in a step that begins at `first` and has `rows` rows.
inline int64_t RowOf(int64_t first, int64_t rows, int64_t b) { return first + (rows == 1 ? 0 : b); }

class MergeOp : public OpKernel {
 public:
  explicit MergeOp(OpKernelConstruction* c) : OpKernel(c), plan_(c) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& u = context->input(0);
    const int64_t size = u.dim_size(1) * u.dim_size(2) * u.dim_size(3);
    Tensor* y = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({plan_.first.back(), u.dim_size(1), u.dim_size(2), u.dim_size(3)}), &y));
    const float* residual = u.flat<float>().data();
    const float* shortcut = context->input(1).flat<float>().data();
    float* out = y->flat<float>().data();
    const int64_t chunks = (size + kFloatsPerChunk - 1) / kFloatsPerChunk;
    const int64_t steps = plan_.rows.size();
    ParallelFor(context, chunks * plan_.batch, steps * kFloatsPerChunk / 4, [&](int64_t begin, int64_t end) {
      float z[kFloatsPerChunk];
      for (int64_t item = begin; item < end; item++) {
        const int64_t b = item / chunks, start = (item % chunks) * kFloatsPerChunk;
        const int64_t count = std::min(kFloatsPerChunk, size - start);
        std::memset(z, 0, sizeof(z));
        for (int64_t d = 0; d < steps; d++) {
          if (b >= plan_.rows[d]) continue;
          const int64_t j = plan_.residual[d], s = plan_.shortcut[d];
          const float* __restrict from = j < 0 ? nullptr : residual + RowOf(plan_.residual_first[j], plan_.residual_rows[j], b) * size + start;
          const float* __restrict instant = s < 0 ? nullptr : shortcut + RowOf(plan_.shortcut_first[s], plan_.shortcut_rows[s], b) * size + start;
          float* __restrict q = out + (plan_.first[d] + b) * size + start;
          Carry(z, from, count);
          const bool counted = d >= plan_.first_counted;
          for (int64_t i = 0; i < count; i++) q[i] = counted ? z[i] : 0.0f;
          if (instant != nullptr)
            for (int64_t i = 0; i < count; i++) q[i] += instant[i];
          if (plan_.relu)
            for (int64_t i = 0; i < count; i++) q[i] = std::max(q[i], 0.0f);
        }
      }
    });
  }

 private:
  // z <- carry z + gain u
  void Carry(float* __restrict z, const float* __restrict u, int64_t count) const {
    const float carry = plan_.carry, gain = plan_.gain;
    if (carry == 0.0f && u != nullptr)
      for (int64_t i = 0; i < count; i++) z[i] = gain * u[i];
    else if (u != nullptr)
      for (int64_t i = 0; i < count; i++) z[i] = carry * z[i] + gain * u[i];
    else
      for (int64_t i = 0; i < count; i++) z[i] = carry * z[i];
  }

  const MergePlan plan_;
};

class MergeGradientOp : public OpKernel {
 public:
  explicit MergeGradientOp(OpKernelConstruction* c) : OpKernel(c), plan_(c) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& dy = context->input(0);
    const int64_t height = dy.dim_size(1), width = dy.dim_size(2), channels = dy.dim_size(3), size = height * width * channels;
    Tensor *du = nullptr, *dx = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({plan_.residual_first.back(), height, width, channels}), &du));
    OP_REQUIRES_OK(context, context->allocate_output(1, TensorShape({plan_.shortcut_first.back(), height, width, channels}), &dx));
    const float* above = dy.flat<float>().data();
    const float* y = context->input(1).flat<float>().data();
    float* residual = du->flat<float>().data();
    float* shortcut = dx->flat<float>().data();
    const int64_t chunks = (size + kFloatsPerChunk - 1) / kFloatsPerChunk;
    const int64_t steps = plan_.rows.size();
    // One chunk takes all images in turn, so that rows which stand for the whole batch are summed in order.
    ParallelFor(context, chunks, steps * plan_.batch * kFloatsPerChunk / 2, [&](int64_t begin, int64_t end) {
      float own[kFloatsPerChunk], dz[kFloatsPerChunk];
      for (int64_t chunk = begin; chunk < end; chunk++) {
        const int64_t start = chunk * kFloatsPerChunk, count = std::min(kFloatsPerChunk, size - start);
        std::vector<int64_t> residual_filled(plan_.residual_rows.size(), 0), shortcut_filled(plan_.shortcut_rows.size(), 0);
        for (int64_t b = 0; b < plan_.batch; b++) {
          std::memset(dz, 0, sizeof(dz));
          for (int64_t d = steps - 1; d >= 0; d--) {
            if (b >= plan_.rows[d]) continue;
            const float* __restrict g = above + (plan_.first[d] + b) * size + start;
            const float* __restrict v = y + (plan_.first[d] + b) * size + start;
            if (plan_.relu)
              for (int64_t i = 0; i < count; i++) own[i] = v[i] > 0.0f ? g[i] : 0.0f;
            else
              for (int64_t i = 0; i < count; i++) own[i] = g[i];
            const int64_t s = plan_.shortcut[d];
            if (s >= 0) Give(shortcut, plan_.shortcut_first[s], plan_.shortcut_rows[s], shortcut_filled[s], b, size, start, own, 1.0f, count);
            const float carry = plan_.carry;
            const float counted = d >= plan_.first_counted ? 1.0f : 0.0f;
            for (int64_t i = 0; i < count; i++) dz[i] = counted * own[i] + carry * dz[i];
            const int64_t j = plan_.residual[d];
            if (j >= 0) Give(residual, plan_.residual_first[j], plan_.residual_rows[j], residual_filled[j], b, size, start, dz, plan_.gain, count);
          }
        }
        ClearUnfilled(residual, plan_.residual_first, plan_.residual_rows, residual_filled, size, start, count);
        ClearUnfilled(shortcut, plan_.shortcut_first, plan_.shortcut_rows, shortcut_filled, size, start, count);
      }
    });
  }

 private:
  // Writes or adds gain * part to image b's row of a step; `filled` counts the step's rows that hold something.
  static void Give(float* to, int64_t first, int64_t rows, int64_t& filled, int64_t b, int64_t size, int64_t start,
                   const float* __restrict part, float gain, int64_t count) {
    const int64_t row = rows == 1 ? 0 : b;
    float* __restrict q = to + (first + row) * size + start;
    if (row >= filled) {
      filled = row + 1;
      for (int64_t i = 0; i < count; i++) q[i] = gain * part[i];
    } else {
      for (int64_t i = 0; i < count; i++) q[i] += gain * part[i];
    }
  }

  static void ClearUnfilled(float* to, const std::vector<int64_t>& first, const std::vector<int64_t>& rows, const std::vector<int64_t>& filled,
                            int64_t size, int64_t start, int64_t count) {
    for (size_t d = 0; d < rows.size(); d++)
      for (int64_t row = filled[d]; row < rows[d]; row++) std::memset(to + (first[d] + row) * size + start, 0, count * sizeof(float));
  }

  const MergePlan plan_;
};

// ---------------------------------------------------------------- convolution on tiny maps, as a matrix
//
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
class SpreadFilterOp : public OpKernel {
 public:
  explicit SpreadFilterOp(OpKernelConstruction* c) : OpKernel(c), height_(Attribute<int64_t>(c, "height")), width_(Attribute<int64_t>(c, "width")) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& filter = context->input(0);
    const int64_t positions = height_ * width_, inputs = filter.dim_size(2), outputs = filter.dim_size(3);
    const auto taps = TapsBetween(height_, width_, filter.dim_size(0));
    Tensor* matrix = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({positions * inputs, positions * outputs}), &matrix));
    const float* w = filter.flat<float>().data();
    float* out = matrix->flat<float>().data();
    ParallelFor(context, positions * inputs, positions * outputs, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++)
        for (int64_t to = 0; to < positions; to++) {
          const int64_t tap = taps[row / inputs * positions + to];
          float* part = out + (row * positions + to) * outputs;
          if (tap < 0)
            std::memset(part, 0, outputs * sizeof(float));
          else
            std::memcpy(part, w + (tap * inputs + row % inputs) * outputs, outputs * sizeof(float));
        }
    });
  }

 private:
  const int64_t height_, width_;
};

// The gradient of SpreadFilter: matrix [H W C, H W C'] -> [k, k, C, C'], the sum over all places a tap was put.
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
    const float* in = matrix.flat<float>().data();
    float* out = filter->flat<float>().data();
    ParallelFor(context, size_ * size_ * inputs, positions * outputs, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; item++) {
        float* __restrict sum = out + item * outputs;
        std::memset(sum, 0, outputs * sizeof(float));
        for (size_t pair = 0; pair < taps.size(); pair++) {
          if (taps[pair] != item / inputs) continue;
          const int64_t from = pair / positions, to = pair % positions;
          const float* __restrict part = in + ((from * inputs + item % inputs) * positions + to) * outputs;
          for (int64_t k = 0; k < outputs; k++) sum[k] += part[k];
        }
      }
    });
  }

 private:
  const int64_t height_, width_, size_;
};

// ---------------------------------------------------------------- convolution on small maps, after Winograd
//
// Two outputs of a 3-tap filter need 4 products instead of 6, in each direction (Winograd; Lavin and Gray 2016):
//
//     y = A^T [(G g G^T) (B^T d B)] A,  d a 4x4 piece of the input, g the 3x3 filter, y the 2x2 outputs
//
// The products of all pieces and channels are 16 matrix multiplications, which TensorFlow does. Here are the
// transforms around them; a piece's 16 values are the outermost axis.

constexpr int64_t kPiece = 4;   // side of an input piece
constexpr int64_t kOutput = 2;  // side of what it gives

struct PieceShape {
  PieceShape(int64_t batch, int64_t height, int64_t width, int64_t channels)
      : batch(batch), height(height), width(width), channels(channels), rows(height / kOutput), columns(width / kOutput), pieces(batch * rows * columns) {}
  const int64_t batch, height, width, channels, rows, columns, pieces;
};

// B^T over one axis of four values.
inline void InputTransform(float a, float b, float c, float d, float* __restrict out, int64_t stride) {
  out[0] = a - c;
  out[stride] = b + c;
  out[2 * stride] = c - b;
  out[3 * stride] = b - d;
}

// x [N, H, W, C] -> [16, pieces, C]
class WinogradInputOp : public OpKernel {
 public:
  explicit WinogradInputOp(OpKernelConstruction* c) : OpKernel(c) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    const PieceShape s(x.dim_size(0), x.dim_size(1), x.dim_size(2), x.dim_size(3));
    Tensor* v = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({kPiece * kPiece, s.pieces, s.channels}), &v));
    const float* in = x.flat<float>().data();
    float* out = v->flat<float>().data();
    const std::vector<float> zeros(s.channels, 0.0f);
    ParallelFor(context, s.pieces, 32 * s.channels, [&](int64_t begin, int64_t end) {
      std::vector<float> half(kPiece * kPiece * s.channels);  // B^T d
      for (int64_t piece = begin; piece < end; piece++) {
        const int64_t n = piece / (s.rows * s.columns), top = piece / s.columns % s.rows * kOutput - 1, left = piece % s.columns * kOutput - 1;
        const auto at = [&](int64_t i, int64_t j) {
          const int64_t row = top + i, column = left + j;
          const bool inside = row >= 0 && row < s.height && column >= 0 && column < s.width;
          return inside ? in + ((n * s.height + row) * s.width + column) * s.channels : zeros.data();
        };
        for (int64_t j = 0; j < kPiece; j++) {
          const float *__restrict a = at(0, j), *__restrict b = at(1, j), *__restrict c = at(2, j), *__restrict d = at(3, j);
          float* __restrict to = &half[j * s.channels];
          const int64_t stride = kPiece * s.channels;
          for (int64_t k = 0; k < s.channels; k++) InputTransform(a[k], b[k], c[k], d[k], to + k, stride);
        }
        for (int64_t i = 0; i < kPiece; i++) {
          const float* __restrict row = &half[i * kPiece * s.channels];
          float* __restrict to = out + (i * kPiece * s.pieces + piece) * s.channels;
          const int64_t c1 = s.channels, c2 = 2 * s.channels, c3 = 3 * s.channels, stride = s.pieces * s.channels;
          for (int64_t k = 0; k < s.channels; k++) InputTransform(row[k], row[c1 + k], row[c2 + k], row[c3 + k], to + k, stride);
        }
      }
    });
  }
};

// G over one axis: three taps -> four values; and G^T over one axis: four values -> three taps.
inline void FilterTransform(const float g[3], float u[4]) {
  const float ends = 0.5f * (g[0] + g[2]), middle = 0.5f * g[1];
  u[0] = g[0];
  u[1] = ends + middle;
  u[2] = ends - middle;
  u[3] = g[2];
}

inline void FilterGradientTransform(const float u[4], float g[3]) {
  const float sum = 0.5f * (u[1] + u[2]);
  g[0] = u[0] + sum;
  g[1] = 0.5f * (u[1] - u[2]);
  g[2] = sum + u[3];
}

// filter [3, 3, C, C'] -> [16, C, C'], or, turned for the gradient by the input, -> [16, C', C].
class WinogradFilterOp : public OpKernel {
 public:
  explicit WinogradFilterOp(OpKernelConstruction* c) : OpKernel(c), turned_(Attribute<bool>(c, "turned")) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& filter = context->input(0);
    const int64_t inputs = filter.dim_size(2), outputs = filter.dim_size(3), size = inputs * outputs;
    Tensor* u = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({kPiece * kPiece, turned_ ? outputs : inputs, turned_ ? inputs : outputs}), &u));
    const float* w = filter.flat<float>().data();
    float* out = u->flat<float>().data();
    ParallelFor(context, size, 60, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; item++) {
        float half[4][3];  // G g
        for (int64_t b = 0; b < 3; b++) {
          float column[3], transformed[4];
          for (int64_t a = 0; a < 3; a++) column[a] = w[(turned_ ? (2 - a) * 3 + 2 - b : a * 3 + b) * size + item];
          FilterTransform(column, transformed);
          for (int64_t i = 0; i < 4; i++) half[i][b] = transformed[i];
        }
        const int64_t place = turned_ ? item % outputs * inputs + item / outputs : item;
        for (int64_t i = 0; i < 4; i++) {
          float row[4];
          FilterTransform(half[i], row);
          for (int64_t j = 0; j < 4; j++) out[(i * 4 + j) * size + place] = row[j];
        }
      }
    });
  }

 private:
  const bool turned_;
};

// The gradient of WinogradFilter: [16, C, C'] -> [3, 3, C, C'].
class WinogradFilterGradientOp : public OpKernel {
 public:
  explicit WinogradFilterGradientOp(OpKernelConstruction* c) : OpKernel(c) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& du = context->input(0);
    const int64_t inputs = du.dim_size(1), outputs = du.dim_size(2), size = inputs * outputs;
    Tensor* dw = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({3, 3, inputs, outputs}), &dw));
    const float* u = du.flat<float>().data();
    float* out = dw->flat<float>().data();
    ParallelFor(context, size, 60, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; item++) {
        float half[3][4];  // G^T u
        for (int64_t j = 0; j < 4; j++) {
          float column[4], transformed[3];
          for (int64_t i = 0; i < 4; i++) column[i] = u[(i * 4 + j) * size + item];
          FilterGradientTransform(column, transformed);
          for (int64_t a = 0; a < 3; a++) half[a][j] = transformed[a];
        }
        for (int64_t a = 0; a < 3; a++) {
          float row[3];
          FilterGradientTransform(half[a], row);
          for (int64_t b = 0; b < 3; b++) out[(a * 3 + b) * size + item] = row[b];
        }
      }
    });
  }
};

// m [16, pieces, C'] -> y [N, H, W, C'] = A^T m A of each piece.
class WinogradOutputOp : public OpKernel {
 public:
  explicit WinogradOutputOp(OpKernelConstruction* c) : OpKernel(c), height_(Attribute<int64_t>(c, "height")), width_(Attribute<int64_t>(c, "width")) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& m = context->input(0);
    const PieceShape s(m.dim_size(1) / (height_ / kOutput * (width_ / kOutput)), height_, width_, m.dim_size(2));
    Tensor* y = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({s.batch, s.height, s.width, s.channels}), &y));
    const float* in = m.flat<float>().data();
    float* out = y->flat<float>().data();
    ParallelFor(context, s.pieces, 24 * s.channels, [&](int64_t begin, int64_t end) {
      std::vector<float> half(kOutput * kPiece * s.channels);  // A^T m
      for (int64_t piece = begin; piece < end; piece++) {
        const int64_t n = piece / (s.rows * s.columns), top = piece / s.columns % s.rows * kOutput, left = piece % s.columns * kOutput;
        const auto from = [&](int64_t i, int64_t j) { return in + ((i * kPiece + j) * s.pieces + piece) * s.channels; };
        for (int64_t j = 0; j < kPiece; j++) {
          const float *__restrict a = from(0, j), *__restrict b = from(1, j), *__restrict c = from(2, j), *__restrict d = from(3, j);
          float *__restrict first = &half[j * s.channels], *__restrict second = &half[(kPiece + j) * s.channels];
          for (int64_t k = 0; k < s.channels; k++) {
            first[k] = a[k] + b[k] + c[k];
            second[k] = b[k] - c[k] - d[k];
          }
        }
        for (int64_t i = 0; i < kOutput; i++) {
          const float* __restrict row = &half[i * kPiece * s.channels];
          float* __restrict first = out + ((n * s.height + top + i) * s.width + left) * s.channels;
          float* __restrict second = first + s.channels;
          const int64_t c1 = s.channels, c2 = 2 * s.channels, c3 = 3 * s.channels;
          for (int64_t k = 0; k < s.channels; k++) {
            first[k] = row[k] + row[c1 + k] + row[c2 + k];
            second[k] = row[c1 + k] - row[c2 + k] - row[c3 + k];
          }
        }
      }
    });
  }

 private:
  const int64_t height_, width_;
};

// The gradient of WinogradOutput: dy [N, H, W, C'] -> [16, pieces, C'] = A dy A^T of each piece.
class WinogradOutputGradientOp : public OpKernel {
 public:
  explicit WinogradOutputGradientOp(OpKernelConstruction* c) : OpKernel(c) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& dy = context->input(0);
    const PieceShape s(dy.dim_size(0), dy.dim_size(1), dy.dim_size(2), dy.dim_size(3));
    Tensor* dm = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({kPiece * kPiece, s.pieces, s.channels}), &dm));
    const float* in = dy.flat<float>().data();
    float* out = dm->flat<float>().data();
    ParallelFor(context, s.pieces, 24 * s.channels, [&](int64_t begin, int64_t end) {
      const int64_t width = kOutput * s.channels;
      std::vector<float> half(kPiece * width);  // A dy
      for (int64_t piece = begin; piece < end; piece++) {
        const int64_t n = piece / (s.rows * s.columns), top = piece / s.columns % s.rows * kOutput, left = piece % s.columns * kOutput;
        const float* __restrict p = in + ((n * s.height + top) * s.width + left) * s.channels;
        OutputGradientTransform(p, p + s.width * s.channels, width, half.data(), width);
        for (int64_t i = 0; i < kPiece; i++) {
          const float* row = &half[i * width];
          OutputGradientTransform(row, row + s.channels, s.channels, out + (i * kPiece * s.pieces + piece) * s.channels, s.pieces * s.channels);
        }
      }
    });
  }

 private:
  // A over one axis of two values: a, a + b, a - b, -b.
  static void OutputGradientTransform(const float* __restrict a, const float* __restrict b, int64_t count, float* __restrict to, int64_t stride) {
    for (int64_t k = 0; k < count; k++) {
      to[k] = a[k];
      to[stride + k] = a[k] + b[k];
      to[2 * stride + k] = a[k] - b[k];
      to[3 * stride + k] = -b[k];
    }
  }
};

// ---------------------------------------------------------------- 3x3 max-pool, stride 2, padding 1

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

class MaxPoolOp : public OpKernel {
 public:
  explicit MaxPoolOp(OpKernelConstruction* c) : OpKernel(c) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    const PoolShape s(x);
    Tensor* y = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({s.batch, s.out_height, s.out_width, s.channels}), &y));
    const float* in = x.flat<float>().data();
    float* out = y->flat<float>().data();
    ParallelFor(context, s.batch * s.out_height, 9 * s.out_width * s.channels / 4, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; item++)
        for (int64_t j = 0; j < s.out_width; j++) {
          float* __restrict q = out + (item * s.out_width + j) * s.channels;
          std::fill(q, q + s.channels, -INFINITY);
          s.ForWindow(item / s.out_height, item % s.out_height, j, [&](int64_t position) {
            const float* __restrict p = in + position * s.channels;
            for (int64_t c = 0; c < s.channels; c++) q[c] = std::max(q[c], p[c]);
          });
        }
    });
  }
};

// The gradient goes to the first position of the window that holds its maximum.
class MaxPoolGradientOp : public OpKernel {
 public:
  explicit MaxPoolGradientOp(OpKernelConstruction* c) : OpKernel(c) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(1);
    const PoolShape s(x);
    Tensor* dx = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, x.shape(), &dx));
    const float* above = context->input(0).flat<float>().data();
    const float* in = x.flat<float>().data();
    const float* y = context->input(2).flat<float>().data();
    float* out = dx->flat<float>().data();
    ParallelFor(context, s.batch, 9 * s.out_height * s.out_width * s.channels, [&](int64_t begin, int64_t end) {
      std::vector<float> left(s.channels);  // what of the output's gradient has found no place yet
      for (int64_t n = begin; n < end; n++) {
        std::memset(out + n * s.height * s.width * s.channels, 0, s.height * s.width * s.channels * sizeof(float));
        for (int64_t i = 0; i < s.out_height; i++)
          for (int64_t j = 0; j < s.out_width; j++) {
            const int64_t result = ((n * s.out_height + i) * s.out_width + j) * s.channels;
            const float* __restrict largest = y + result;
            std::copy(above + result, above + result + s.channels, left.begin());
            float* __restrict rest = left.data();
            s.ForWindow(n, i, j, [&](int64_t position) {
              const float* __restrict p = in + position * s.channels;
              float* __restrict q = out + position * s.channels;
              for (int64_t c = 0; c < s.channels; c++) {
                const float given = p[c] == largest[c] ? rest[c] : 0.0f;
                q[c] += given;
                rest[c] -= given;
              }
            });
          }
      }
    });
  }
};

// g <- gradient + decay w;  v <- momentum v + g;  w <- w - rate (g + momentum v).  settings: [rate, momentum, decay].
class SgdOp : public OpKernel {
 public:
  explicit SgdOp(OpKernelConstruction* c) : OpKernel(c) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& weight = context->input(0);
    const float* settings = context->input(3).flat<float>().data();
    const float rate = settings[0], momentum = settings[1], decay = settings[2];
    Tensor *next_weight = nullptr, *next_velocity = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, weight.shape(), &next_weight));
    OP_REQUIRES_OK(context, context->allocate_output(1, weight.shape(), &next_velocity));
    const float* __restrict w = weight.flat<float>().data();
    const float* __restrict v = context->input(1).flat<float>().data();
    const float* __restrict g = context->input(2).flat<float>().data();
    float* __restrict w2 = next_weight->flat<float>().data();
    float* __restrict v2 = next_velocity->flat<float>().data();
    ParallelFor(context, weight.NumElements(), 2, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const float decayed = g[i] + decay * w[i];
        const float velocity = momentum * v[i] + decayed;
        v2[i] = velocity;
        w2[i] = w[i] - rate * (decayed + momentum * velocity);
      }
    });
  }
};

// ---------------------------------------------------------------- convolution, summed in double
//
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

class KernelVersionOp : public OpKernel {
 public:
  explicit KernelVersionOp(OpKernelConstruction* c) : OpKernel(c) {}
  void Compute(OpKernelContext* context) override {
    Tensor* version = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({}), &version));
    version->scalar<int32_t>()() = static_cast<int32_t>(kVersion);
  }
};

REGISTER_OP("CascadeKernelVersion").Output("version: int32");
REGISTER_OP("CascadeNormalize")
    .Attr("rows: list(int)").Attr("epsilon: float").Attr("relu: bool")
    .Input("x: float").Input("scale: float").Input("offset: float")
    .Output("y: float").Output("mean: float").Output("variance: float");
REGISTER_OP("CascadeNormalizeGradient")
    .Attr("rows: list(int)").Attr("epsilon: float").Attr("relu: bool")
    .Input("dy: float").Input("x: float").Input("scale: float").Input("offset: float").Input("mean: float").Input("variance: float")
    .Output("dx: float").Output("dscale: float").Output("doffset: float");
REGISTER_OP("CascadeScaleAndShift")
    .Attr("rows: list(int)").Attr("relu: bool")
    .Input("x: float").Input("gain: float").Input("bias: float").Output("y: float");
REGISTER_OP("CascadeMerge")
    .Attr("residual_rows: list(int)").Attr("shortcut_rows: list(int)").Attr("rows: list(int)").Attr("residual: list(int)").Attr("shortcut: list(int)")
    .Attr("first_counted: int").Attr("carry: float").Attr("gain: float").Attr("relu: bool")
    .Input("residual_values: float").Input("shortcut_values: float").Output("y: float");
REGISTER_OP("CascadeMergeGradient")
    .Attr("residual_rows: list(int)").Attr("shortcut_rows: list(int)").Attr("rows: list(int)").Attr("residual: list(int)").Attr("shortcut: list(int)")
    .Attr("first_counted: int").Attr("carry: float").Attr("gain: float").Attr("relu: bool")
    .Input("dy: float").Input("y: float").Output("dresidual: float").Output("dshortcut: float");
REGISTER_OP("CascadeSpreadFilter").Attr("height: int").Attr("width: int").Input("filter: float").Output("matrix: float");
REGISTER_OP("CascadeGatherFilter").Attr("height: int").Attr("width: int").Attr("size: int").Input("matrix: float").Output("filter: float");
REGISTER_OP("CascadeWinogradInput").Input("x: float").Output("v: float");
REGISTER_OP("CascadeWinogradFilter").Attr("turned: bool").Input("filter: float").Output("u: float");
REGISTER_OP("CascadeWinogradFilterGradient").Input("du: float").Output("dw: float");
REGISTER_OP("CascadeWinogradOutput").Attr("height: int").Attr("width: int").Input("m: float").Output("y: float");
REGISTER_OP("CascadeWinogradOutputGradient").Input("dy: float").Output("dm: float");
REGISTER_OP("CascadeMaxPool").Input("x: float").Output("y: float");
REGISTER_OP("CascadeMaxPoolGradient").Input("dy: float").Input("x: float").Input("y: float").Output("dx: float");
REGISTER_OP("CascadeSgd")
    .Input("weight: float").Input("velocity: float").Input("gradient: float").Input("settings: float")
    .Output("next_weight: float").Output("next_velocity: float");
REGISTER_OP("CascadeExactConvolve").Attr("stride: int").Input("x: float").Input("filter: float").Output("y: float");
REGISTER_OP("CascadeExactConvolveInputGradient")
    .Attr("stride: int").Attr("height: int").Attr("width: int").Input("dy: float").Input("filter: float").Output("dx: float");
REGISTER_OP("CascadeExactConvolveFilterGradient").Attr("stride: int").Attr("size: int").Input("x: float").Input("dy: float").Output("dw: float");

REGISTER_KERNEL_BUILDER(Name("CascadeKernelVersion").Device(DEVICE_CPU), KernelVersionOp);
REGISTER_KERNEL_BUILDER(Name("CascadeNormalize").Device(DEVICE_CPU), NormalizeOp);
REGISTER_KERNEL_BUILDER(Name("CascadeNormalizeGradient").Device(DEVICE_CPU), NormalizeGradientOp);
REGISTER_KERNEL_BUILDER(Name("CascadeScaleAndShift").Device(DEVICE_CPU), ScaleAndShiftOp);
REGISTER_KERNEL_BUILDER(Name("CascadeMerge").Device(DEVICE_CPU), MergeOp);
REGISTER_KERNEL_BUILDER(Name("CascadeMergeGradient").Device(DEVICE_CPU), MergeGradientOp);
REGISTER_KERNEL_BUILDER(Name("CascadeSpreadFilter").Device(DEVICE_CPU), SpreadFilterOp);
REGISTER_KERNEL_BUILDER(Name("CascadeGatherFilter").Device(DEVICE_CPU), GatherFilterOp);
REGISTER_KERNEL_BUILDER(Name("CascadeWinogradInput").Device(DEVICE_CPU), WinogradInputOp);
REGISTER_KERNEL_BUILDER(Name("CascadeWinogradFilter").Device(DEVICE_CPU), WinogradFilterOp);
REGISTER_KERNEL_BUILDER(Name("CascadeWinogradFilterGradient").Device(DEVICE_CPU), WinogradFilterGradientOp);
REGISTER_KERNEL_BUILDER(Name("CascadeWinogradOutput").Device(DEVICE_CPU), WinogradOutputOp);
REGISTER_KERNEL_BUILDER(Name("CascadeWinogradOutputGradient").Device(DEVICE_CPU), WinogradOutputGradientOp);
REGISTER_KERNEL_BUILDER(Name("CascadeMaxPool").Device(DEVICE_CPU), MaxPoolOp);
REGISTER_KERNEL_BUILDER(Name("CascadeMaxPoolGradient").Device(DEVICE_CPU), MaxPoolGradientOp);
REGISTER_KERNEL_BUILDER(Name("CascadeSgd").Device(DEVICE_CPU), SgdOp);
REGISTER_KERNEL_BUILDER(Name("CascadeExactConvolve").Device(DEVICE_CPU), ExactConvolveOp);
REGISTER_KERNEL_BUILDER(Name("CascadeExactConvolveInputGradient").Device(DEVICE_CPU), ExactConvolveInputGradientOp);
REGISTER_KERNEL_BUILDER(Name("CascadeExactConvolveFilterGradient").Device(DEVICE_CPU), ExactConvolveFilterGradientOp);

}  // namespace cascade
