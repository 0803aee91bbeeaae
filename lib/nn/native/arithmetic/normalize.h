// Batch norm by distinct step, with its ReLU.

#pragma once

#include "lanes.h"

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

inline std::vector<Block> BlocksOf(const NormShape& shape) {
  std::vector<Block> blocks;
  int64_t start = 0;
  for (size_t d = 0; d < shape.rows.size(); d++) {
    const int64_t end = start + shape.rows[d] * shape.positions;
    for (int64_t p = start; p < end; p += kPositionsPerBlock)
      blocks.push_back({static_cast<int64_t>(d), p, std::min(kPositionsPerBlock, end - p)});
    start = end;
  }
  return blocks;
}

// Few channels are worked on several positions at a time, as if they were as many more, which fills the processor's lanes.
struct WideRows {
  explicit WideRows(int64_t channels) : channels(channels), together(std::max<int64_t>(1, 32 / channels)), width(channels * together) {}

  // [D, C] -> [D, width], each row several times over.
  template <typename Value, typename From>
  std::vector<Value> Repeat(const From* values, int64_t steps) const {
    std::vector<Value> repeated(steps * width);
    for (int64_t d = 0; d < steps; d++)
      for (int64_t i = 0; i < width; i++) repeated[d * width + i] = static_cast<Value>(values[d * channels + i % channels]);
    return repeated;
  }

  // work(first value, positions, channels of each) for a block: wide rows, then what is left.
  template <typename Work>
  void For(const Block& block, const Work& work) const {
    const int64_t whole = block.count / together;
    work(block.first * channels, whole, width);
    work((block.first + whole * together) * channels, block.count % together, channels);
  }

  const int64_t channels, together, width;
};

// Adds the blocks' partial sums [blocks, 2, width] up by step, in order: -> [D, 2, C].
template <typename Sum>
std::vector<double> SumBySteps(const std::vector<Block>& blocks, const std::vector<Sum>& partial, int64_t steps, const WideRows& rows) {
  std::vector<double> wide(steps * 2 * rows.width, 0.0), sums(steps * 2 * rows.channels, 0.0);
  for (size_t k = 0; k < blocks.size(); k++) {
    double* __restrict sum = &wide[blocks[k].step * 2 * rows.width];
    const Sum* __restrict part = &partial[k * 2 * rows.width];
    for (int64_t i = 0; i < 2 * rows.width; i++) sum[i] += part[i];
  }
  for (int64_t row = 0; row < steps * 2; row++)
    for (int64_t i = 0; i < rows.width; i++) sums[row * rows.channels + i % rows.channels] += wide[row * rows.width + i];
  return sums;
}

// y = gain x + bias, in the width of gain and bias; the backward pass finds the same sign again.
template <typename Sum>
inline float Affine(float x, Sum gain, Sum bias) {
  return static_cast<float>(FusedMultiplyAdd(static_cast<Sum>(x), gain, bias));
}

// gain = scale / sqrt(variance + epsilon), bias = offset - gain mean: the same numbers forward and backward.
template <typename Sum>
void SetAffine(float scale, float offset, float mean, float variance, float epsilon, Sum* gain, Sum* bias) {
  const double exact = scale / std::sqrt(static_cast<double>(variance) + epsilon);
  *gain = static_cast<Sum>(exact);
  *bias = static_cast<Sum>(offset - exact * static_cast<double>(mean));
}

// y = relu?(gain x + bias) with gain and bias [D, width] of each step.
template <typename T, typename Sum>
void ApplyAffine(const Threads& threads, const NormShape& shape, const std::vector<Block>& blocks, const WideRows& rows, const T* x,
                 const std::vector<Sum>& gain, const std::vector<Sum>& bias, T* y) {
  threads.For(blocks.size(), kPositionsPerBlock * shape.channels / 2, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; k++)
      rows.For(blocks[k], [&](int64_t first, int64_t count, int64_t width) {
        const Sum* __restrict a = &gain[blocks[k].step * rows.width];
        const Sum* __restrict b = &bias[blocks[k].step * rows.width];
        const T* __restrict p = x + first;
        T* __restrict q = y + first;
        for (int64_t i = 0; i < count; i++, p += width, q += width) {
          if (shape.relu)
            for (int64_t c = 0; c < width; c++) q[c] = Cast<T>(std::max(Affine(Load(p[c]), a[c], b[c]), 0.0f));
          else
            for (int64_t c = 0; c < width; c++) q[c] = Cast<T>(Affine(Load(p[c]), a[c], b[c]));
        }
      });
  });
}

// Where step d's scale, offset or their gradients of channel c stand.
inline int64_t AffinePlace(const NormShape& shape, int64_t d, int64_t c) { return (shape.shared_affine ? 0 : d * shape.channels) + c; }

// mean and variance (biased) of each distinct step; y = relu?(scale (x - mean) / sqrt(variance + epsilon) + offset).
template <typename T>
void Normalize(const Threads& threads, const NormShape& shape, const T* x, const float* scale, const float* offset, T* y,
               float* mean, float* variance) {
  const int64_t steps = shape.rows.size(), channels = shape.channels;
  const WideRows rows(channels);
  const auto blocks = BlocksOf(shape);
  std::vector<Wide<T>> partial(blocks.size() * 2 * rows.width, 0);
  threads.For(blocks.size(), kPositionsPerBlock * channels, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; k++)
      rows.For(blocks[k], [&](int64_t first, int64_t count, int64_t width) {
        Wide<T>* __restrict sum = &partial[k * 2 * rows.width];
        Wide<T>* __restrict squares = sum + rows.width;
        const T* __restrict p = x + first;
        for (int64_t i = 0; i < count; i++, p += width)
          for (int64_t c = 0; c < width; c++) {
            const Wide<T> value = Load(p[c]);
            sum[c] += value;
            squares[c] += value * value;
          }
      });
  });
  const auto sums = SumBySteps(blocks, partial, steps, rows);
  std::vector<Wide<T>> gain(steps * channels), bias(steps * channels);
  for (int64_t d = 0; d < steps; d++) {
    const double n = static_cast<double>(shape.rows[d] * shape.positions);
    for (int64_t c = 0; c < channels; c++) {
      const double m = sums[d * 2 * channels + c] / n;
      const double square = sums[d * 2 * channels + channels + c] / n - m * m;
      const int64_t i = d * channels + c;
      mean[i] = static_cast<float>(m);
      variance[i] = static_cast<float>(square < 0 ? 0 : square);  // what is not a number stays so
      // The backward pass knows mean and variance as floats: both passes use those.
      const int64_t affine = AffinePlace(shape, d, c);
      SetAffine(scale[affine], offset[affine], mean[i], variance[i], shape.epsilon, &gain[i], &bias[i]);
    }
  }
  ApplyAffine(threads, shape, blocks, rows, x, rows.Repeat<Wide<T>>(gain.data(), steps), rows.Repeat<Wide<T>>(bias.data(), steps), y);
}

// The gradient that the ReLU lets through.
template <bool relu, typename Sum>
inline Sum Passed(float dy, float x, Sum gain, Sum bias) {
  if constexpr (relu) return Affine(x, gain, bias) > 0.0f ? static_cast<Sum>(dy) : static_cast<Sum>(0);
  else return static_cast<Sum>(dy);
}

// Adds sum(dy) and sum(dy (x - mean)) of some positions to sums and products [C].
template <bool relu, typename T>
void SumGradients(const T* __restrict x, const T* __restrict dy, int64_t positions, int64_t channels, const Wide<T>* __restrict gain,
                  const Wide<T>* __restrict bias, const float* __restrict mean, Wide<T>* __restrict sums, Wide<T>* __restrict products) {
  for (int64_t i = 0; i < positions; i++, x += channels, dy += channels)
    for (int64_t c = 0; c < channels; c++) {
      const Wide<T> gradient = Passed<relu>(Load(dy[c]), Load(x[c]), gain[c], bias[c]);
      sums[c] += gradient;
      products[c] = FusedMultiplyAdd(gradient, static_cast<Wide<T>>(Load(x[c])) - mean[c], products[c]);
    }
}

// dx = gain dy + slope x + intercept
template <bool relu, typename T>
void GiveGradients(const T* __restrict x, const T* __restrict dy, int64_t positions, int64_t channels, const Wide<T>* __restrict gain,
                   const Wide<T>* __restrict bias, const Wide<T>* __restrict slope, const Wide<T>* __restrict intercept, T* __restrict dx) {
  for (int64_t i = 0; i < positions; i++, x += channels, dy += channels, dx += channels)
    for (int64_t c = 0; c < channels; c++) {
      const Wide<T> gradient = Passed<relu>(Load(dy[c]), Load(x[c]), gain[c], bias[c]);
      const Wide<T> rest = FusedMultiplyAdd(static_cast<Wide<T>>(Load(x[c])), slope[c], intercept[c]);
      dx[c] = Cast<T>(static_cast<float>(FusedMultiplyAdd(gradient, gain[c], rest)));
    }
}

// With n the values of a channel in a step and xn = (x - mean) / sqrt(variance + epsilon):
//   dx = scale / sqrt(variance + epsilon) (dy - sum(dy) / n - xn sum(dy xn) / n),  dscale = sum(dy xn),  doffset = sum(dy)
template <typename T>
void NormalizeGradient(const Threads& threads, const NormShape& shape, const T* dy, const T* x, const float* scale, const float* offset,
                       const float* mean, const float* variance, T* dx, float* dscale, float* doffset) {
  const int64_t steps = shape.rows.size(), channels = shape.channels;
  std::vector<Wide<T>> gain(steps * channels), bias(steps * channels);
  for (int64_t i = 0; i < steps * channels; i++) {
    const int64_t affine = AffinePlace(shape, i / channels, i % channels);
    SetAffine(scale[affine], offset[affine], mean[i], variance[i], shape.epsilon, &gain[i], &bias[i]);
  }
  const WideRows rows(channels);
  const auto blocks = BlocksOf(shape);
  const auto gains = rows.Repeat<Wide<T>>(gain.data(), steps), biases = rows.Repeat<Wide<T>>(bias.data(), steps);
  const auto means = rows.Repeat<float>(mean, steps);
  std::vector<Wide<T>> partial(blocks.size() * 2 * rows.width, 0);
  threads.For(blocks.size(), kPositionsPerBlock * channels, [&](int64_t begin, int64_t end) {
    const auto sum = shape.relu ? SumGradients<true, T> : SumGradients<false, T>;
    for (int64_t k = begin; k < end; k++)
      rows.For(blocks[k], [&](int64_t first, int64_t count, int64_t width) {
        const int64_t step = blocks[k].step * rows.width;
        Wide<T>* sums = &partial[k * 2 * rows.width];
        sum(x + first, dy + first, count, width, &gains[step], &biases[step], &means[step], sums, sums + rows.width);
      });
  });
  const auto sums = SumBySteps(blocks, partial, steps, rows);
  std::vector<Wide<T>> slope(steps * channels), intercept(steps * channels);
  std::fill_n(dscale, shape.shared_affine ? channels : steps * channels, 0.0f);
  std::fill_n(doffset, shape.shared_affine ? channels : steps * channels, 0.0f);
  for (int64_t d = 0; d < steps; d++) {
    const double n = static_cast<double>(shape.rows[d] * shape.positions);
    for (int64_t c = 0; c < channels; c++) {
      const int64_t i = d * channels + c;
      const double sum = sums[d * 2 * channels + c], product = sums[d * 2 * channels + channels + c];
      const double inverse = 1.0 / std::sqrt(static_cast<double>(variance[i]) + shape.epsilon);
      const int64_t affine = AffinePlace(shape, d, c);
      dscale[affine] += static_cast<float>(product * inverse);
      doffset[affine] += static_cast<float>(sum);
      const double exact_slope = -gain[i] * inverse * inverse * product / n;
      slope[i] = static_cast<Wide<T>>(exact_slope);
      intercept[i] = static_cast<Wide<T>>(-gain[i] * sum / n - exact_slope * static_cast<double>(mean[i]));
    }
  }
  const auto slopes = rows.Repeat<Wide<T>>(slope.data(), steps), intercepts = rows.Repeat<Wide<T>>(intercept.data(), steps);
  threads.For(blocks.size(), kPositionsPerBlock * channels, [&](int64_t begin, int64_t end) {
    const auto give = shape.relu ? GiveGradients<true, T> : GiveGradients<false, T>;
    for (int64_t k = begin; k < end; k++)
      rows.For(blocks[k], [&](int64_t first, int64_t count, int64_t width) {
        const int64_t step = blocks[k].step * rows.width;
        give(x + first, dy + first, count, width, &gains[step], &biases[step], &slopes[step], &intercepts[step], dx + first);
      });
  });
}

// One of the two running statistics (RunningUpdate has the equations); the batch's is multiplied by `factor` first.
inline void BlendStatistic(const RunningUpdate& update, float factor, const float* running, const float* batch, float* next) {
  const float keep = 1.0f - update.momentum;
  const int64_t channels = update.channels;
  for (size_t t = 0; t < update.step.size(); t++, running += channels, next += channels) {
    if (update.step[t] < 0) {
      std::copy_n(running, channels, next);
      continue;
    }
    const float* fresh = batch + update.step[t] * channels;
    for (int64_t c = 0; c < channels; c++) next[c] = running[c] * keep + fresh[c] * factor * update.momentum;
  }
}

inline void UpdateStatistics(const RunningUpdate& update, const float* mean, const float* variance, const float* batch_mean,
                             const float* batch_variance, float* next_mean, float* next_variance) {
  BlendStatistic(update, 1.0f, mean, batch_mean, next_mean);
  BlendStatistic(update, update.unbias, variance, batch_variance, next_variance);
}

// y = relu?(x gain + bias), gain and bias [D, C].
template <typename T>
void ScaleAndShift(const Threads& threads, const NormShape& shape, const T* x, const float* gain, const float* bias, T* y) {
  const WideRows rows(shape.channels);
  const int64_t steps = shape.rows.size();
  ApplyAffine(threads, shape, BlocksOf(shape), rows, x, rows.Repeat<float>(gain, steps), rows.Repeat<float>(bias, steps), y);
}

}  // namespace
}  // namespace cascade
