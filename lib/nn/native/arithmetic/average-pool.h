// Pools that average: 2x2 at stride 2, mixed with the largest, and over the whole map.

#pragma once

#include "max-pool.h"

namespace cascade {
namespace {

// A window at an odd edge averages what it holds.
inline void AveragePool(const Threads& threads, const PoolShape& s, const float* x, float* y) {
  const int64_t out_height = CeilDiv(s.height, 2), out_width = CeilDiv(s.width, 2);
  threads.For(s.batch * out_height, out_width * s.channels, [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; item++)
      for (int64_t j = 0; j < out_width; j++) {
        const int64_t top = item % out_height * 2, bottom = std::min(top + 2, s.height), right = std::min(2 * j + 2, s.width);
        float* __restrict to = y + (item * out_width + j) * s.channels;
        std::fill_n(to, s.channels, 0.0f);
        for (int64_t row = top; row < bottom; row++)
          for (int64_t column = 2 * j; column < right; column++) {
            const float* __restrict from = x + ((item / out_height * s.height + row) * s.width + column) * s.channels;
            for (int64_t c = 0; c < s.channels; c++) to[c] += from[c];
          }
        const float held = static_cast<float>((bottom - top) * (right - 2 * j));
        for (int64_t c = 0; c < s.channels; c++) to[c] /= held;
      }
  });
}

// y = alpha max + (1 - alpha) mean over windows of this side, which divides height and width.
inline void MixedPool(const Threads& threads, const PoolShape& s, int64_t window, float alpha, const float* x, float* y) {
  const int64_t out_height = s.height / window, out_width = s.width / window;
  threads.For(s.batch * out_height, window * window * out_width * s.channels / 4, [&](int64_t begin, int64_t end) {
    std::vector<float> largest(s.channels), sum(s.channels);
    for (int64_t item = begin; item < end; item++)
      for (int64_t j = 0; j < out_width; j++) {
        std::fill(largest.begin(), largest.end(), -INFINITY);
        std::fill(sum.begin(), sum.end(), 0.0f);
        for (int64_t p = 0; p < window * window; p++) {
          const float* __restrict from = x + ((item * window + p / window) * s.width + j * window + p % window) * s.channels;
          for (int64_t c = 0; c < s.channels; c++) {
            largest[c] = Larger(largest[c], from[c]);
            sum[c] += from[c];
          }
        }
        float* __restrict to = y + (item * out_width + j) * s.channels;
        const float held = static_cast<float>(window * window);
        for (int64_t c = 0; c < s.channels; c++) to[c] = alpha * largest[c] + (1 - alpha) * (sum[c] / held);
      }
  });
}

// [N, H, W, C] -> [N, C]
inline void GlobalAveragePool(const Threads& threads, const PoolShape& s, const float* x, float* y) {
  const int64_t positions = s.height * s.width;
  threads.For(s.batch, positions * s.channels / 4, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      float* __restrict to = y + n * s.channels;
      std::fill_n(to, s.channels, 0.0f);
      for (int64_t p = 0; p < positions; p++) {
        const float* __restrict from = x + (n * positions + p) * s.channels;
        for (int64_t c = 0; c < s.channels; c++) to[c] += from[c];
      }
      for (int64_t c = 0; c < s.channels; c++) to[c] /= static_cast<float>(positions);
    }
  });
}

}  // namespace
}  // namespace cascade
