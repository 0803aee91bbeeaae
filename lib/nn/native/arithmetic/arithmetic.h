// What the project computes by itself, as plain functions on plain memory: the interface between the operations that
// TensorFlow sees (../operations) and the code that is compiled once for each level of instruction sets (level.cc).
// Nothing of TensorFlow is included here or below, so that no header but the project's own meets a processor's flags.
//
// Values are NHWC with time folded into the first axis: [N, H, W, C]. `rows` lists how many of the N rows belong to
// each distinct step, in order. Every sum is taken in an order that the shapes alone decide, and products are fused with
// sums only where the code says so: results depend neither on the number of threads, nor on the compiler, nor, from AVX2
// on, on the level.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace cascade {

// How activations are stored; arithmetic is wider.
enum class Dtype { kFloat32, kBfloat16 };

// Shares items out among threads: work(begin, end) for stretches of [0, items), `cost` about the cycles of one item.
class Threads {
 public:
  using Work = std::function<void(int64_t begin, int64_t end)>;
  virtual ~Threads() = default;
  virtual void For(int64_t items, int64_t cost, const Work& work) const = 0;
};

// Convolution of x [N, H, W, C] with filter [k, k, C, C'], padded by floor(k / 2) zeros -> y [N, H', W', C'].
struct ConvolutionShape {
  int64_t batch, height, width, inputs, size, outputs, stride;

  int64_t Padding() const { return size / 2; }
  int64_t OutHeight() const { return (height + 2 * Padding() - size) / stride + 1; }
  int64_t OutWidth() const { return (width + 2 * Padding() - size) / stride + 1; }
};

// kFast takes the algorithm with the fewest products (convolution.h has the table), kFloat64Sums sums in double.
enum class Accumulation { kFast, kFloat64Sums };

// What a convolution's result takes on its way out: y gain + bias, gain and bias [D, C'] of each distinct step, then a
// ReLU where asked. Without gain the result stays as it is.
struct Epilogue {
  const float* gain = nullptr;
  const float* bias = nullptr;
  std::vector<int64_t> rows;
  bool relu = false;
};

// Batch norm by distinct step: `rows` of `positions` values each.
struct NormShape {
  std::vector<int64_t> rows;
  int64_t positions, channels;
  float epsilon;
  bool relu;
  // Scale and offset, and so their gradients, are [C] for all steps together, not [D, C].
  bool shared_affine;
};

// Running statistics [T, C] of a batch norm after a batch, whose own are [D, C]:
//   mean[t] <- (1 - momentum) mean[t] + momentum batch_mean[step[t]]
//   variance[t] <- (1 - momentum) variance[t] + momentum (unbias batch_variance[step[t]])
// as they were where step[t] is negative.
struct RunningUpdate {
  std::vector<int64_t> step;
  int64_t channels;
  float momentum, unbias;
};

// How delayed residual and shortcut meet, over the distinct steps d of the result (lib/nn/delay.ts):
//   z[d] = carry z[d-1] + gain u[residual[d]],   y[d] = relu?(z[d] + x[shortcut[d]])
// z counts from d = first_counted on; an index of -1 counts as zero; a one-row step meets every row of the others.
struct MergePlan {
  std::vector<int64_t> residual_rows, shortcut_rows, rows, residual, shortcut;
  int64_t first_counted;
  float carry, gain;
  bool relu;
};

// One step of such a meeting, on so many rows; what is null counts as zero, a repeated value has one row for all. Channels
// of the shortcut that come before the residual's make it a concatenation.
struct MergeStep {
  int64_t rows, positions, channels, shortcut_channels;
  float carry, gain;
  bool counted, relu;
  const float *residual, *shortcut;
  bool residual_repeats, shortcut_repeats;
  float* z;  // [rows, positions, channels], kept from step to step where there is a carry
};

struct PoolShape {
  int64_t batch, height, width, channels;

  int64_t OutHeight() const { return (height - 1) / 2 + 1; }
  int64_t OutWidth() const { return (width - 1) / 2 + 1; }
};

struct SgdSettings {
  float rate, momentum, decay;
};

// How filters are laid out: for products of 16-bit integers where the channels allow it, and for several images at a time.
struct Packing {
  bool integers, several;
};

// A filter laid out once for many convolutions, as the algorithm wants it that suits the maps' size (packed-convolution.h).
class PackedFilter {
 public:
  virtual ~PackedFilter() = default;
  // As Arithmetic::Convolve, of `batch` maps.
  virtual void Convolve(const Threads&, int64_t batch, const Epilogue&, const float* x, float* y) const = 0;
};

// The same arithmetic at one level of instruction sets.
class Arithmetic {
 public:
  virtual ~Arithmetic() = default;

  virtual void Convolve(const Threads&, Dtype, Accumulation, const ConvolutionShape&, const Epilogue&, const void* x,
                        const float* filter, void* y) const = 0;
  // The shape's batch does not matter.
  virtual std::unique_ptr<PackedFilter> Pack(const Threads&, const ConvolutionShape&, const Packing&, const float* filter) const = 0;
  // dy [N, H', W', C'] -> dx [N, H, W, C]
  virtual void ConvolveInputGradient(const Threads&, Dtype, Accumulation, const ConvolutionShape&, const void* dy,
                                     const float* filter, void* dx) const = 0;
  // -> dw [k, k, C, C']
  virtual void ConvolveFilterGradient(const Threads&, Dtype, Accumulation, const ConvolutionShape&, const void* x,
                                      const void* dy, float* dw) const = 0;

  // mean and variance (biased) of each distinct step; y = relu?(scale (x - mean) / sqrt(variance + epsilon) + offset)
  virtual void Normalize(const Threads&, Dtype, const NormShape&, const void* x, const float* scale, const float* offset,
                         void* y, float* mean, float* variance) const = 0;
  virtual void NormalizeGradient(const Threads&, Dtype, const NormShape&, const void* dy, const void* x, const float* scale,
                                 const float* offset, const float* mean, const float* variance, void* dx, float* dscale,
                                 float* doffset) const = 0;
  virtual void UpdateStatistics(const RunningUpdate&, const float* mean, const float* variance, const float* batch_mean,
                                const float* batch_variance, float* next_mean, float* next_variance) const = 0;
  // y = relu?(x gain + bias), gain and bias [D, C]
  virtual void ScaleAndShift(const Threads&, Dtype, const NormShape&, const void* x, const float* gain, const float* bias,
                             void* y) const = 0;

  // `size` values in each row
  virtual void Merge(const Threads&, Dtype, const MergePlan&, int64_t size, const void* residual, const void* shortcut,
                     void* y) const = 0;
  virtual void Meet(const Threads&, const MergeStep&, float* y) const = 0;
  virtual void MergeGradient(const Threads&, Dtype, const MergePlan&, int64_t size, const void* dy, const void* y,
                             void* dresidual, void* dshortcut) const = 0;

  // 3x3 max-pool, stride 2, padding 1
  virtual void MaxPool(const Threads&, Dtype, const PoolShape&, const void* x, void* y) const = 0;
  virtual void MaxPoolGradient(const Threads&, Dtype, const PoolShape&, const void* dy, const void* x, const void* y,
                               void* dx) const = 0;

  // 2x2 average pool, stride 2; a window at an odd edge averages what it holds
  virtual void AveragePool(const Threads&, const PoolShape&, const float* x, float* y) const = 0;
  // alpha max + (1 - alpha) mean over windows of this side, which divides height and width
  virtual void MixedPool(const Threads&, const PoolShape&, int64_t window, float alpha, const float* x, float* y) const = 0;
  // The mean over a map: [N, H, W, C] -> [N, C]
  virtual void GlobalAveragePool(const Threads&, const PoolShape&, const float* x, float* y) const = 0;

  // g <- gradient + decay w;  v <- momentum v + g;  w <- w - rate (g + momentum v)
  virtual void Sgd(const Threads&, int64_t count, const SgdSettings&, const float* weight, const float* velocity,
                   const float* gradient, float* next_weight, float* next_velocity) const = 0;
};

}  // namespace cascade
