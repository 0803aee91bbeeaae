// 2x2 average pool, stride 2; a window at an odd edge averages what it holds.

#pragma once

#include "lanes.h"

namespace cascade {
namespace {

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

}  // namespace
}  // namespace cascade
