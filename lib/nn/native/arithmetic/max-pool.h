// 3x3 max-pool, stride 2, padding 1.

#pragma once

#include "lanes.h"

namespace cascade {
namespace {

// Calls work(position) for each position of image n under the window of output (i, j).
template <typename Work>
void ForWindow(const PoolShape& s, int64_t n, int64_t i, int64_t j, const Work& work) {
  for (int64_t row = std::max<int64_t>(2 * i - 1, 0); row <= std::min(2 * i + 1, s.height - 1); row++)
    for (int64_t column = std::max<int64_t>(2 * j - 1, 0); column <= std::min(2 * j + 1, s.width - 1); column++)
      work((n * s.height + row) * s.width + column);
}

// What is not a number is larger than all else: it must not vanish.
inline float Larger(float a, float b) { return b <= a || a != a ? a : b; }

template <typename T>
void MaxPool(const Threads& threads, const PoolShape& s, const T* x, T* y) {
  const int64_t out_height = s.OutHeight(), out_width = s.OutWidth();
  threads.For(s.batch * out_height, 9 * out_width * s.channels / 4, [&](int64_t begin, int64_t end) {
    std::vector<float> largest(s.channels);
    for (int64_t item = begin; item < end; item++)
      for (int64_t j = 0; j < out_width; j++) {
        float* __restrict most = largest.data();
        std::fill(largest.begin(), largest.end(), -INFINITY);
        ForWindow(s, item / out_height, item % out_height, j, [&](int64_t position) {
          const T* __restrict p = x + position * s.channels;
          for (int64_t c = 0; c < s.channels; c++) most[c] = Larger(most[c], Load(p[c]));
        });
        T* __restrict q = y + (item * out_width + j) * s.channels;
        for (int64_t c = 0; c < s.channels; c++) q[c] = Cast<T>(most[c]);
      }
  });
}

// The gradient goes to the first position of the window that holds its maximum.
template <typename T>
void MaxPoolGradient(const Threads& threads, const PoolShape& s, const T* dy, const T* x, const T* y, T* dx) {
  const int64_t out_height = s.OutHeight(), out_width = s.OutWidth();
  threads.For(s.batch, 9 * out_height * out_width * s.channels, [&](int64_t begin, int64_t end) {
    const int64_t size = s.height * s.width * s.channels;
    std::vector<float> sums(size);
    std::vector<float> left(s.channels);  // what of the output's gradient has found no place yet
    for (int64_t n = begin; n < end; n++) {
      std::fill(sums.begin(), sums.end(), 0.0f);
      for (int64_t i = 0; i < out_height; i++)
        for (int64_t j = 0; j < out_width; j++) {
          const int64_t result = ((n * out_height + i) * out_width + j) * s.channels;
          const T* __restrict largest = y + result;
          for (int64_t c = 0; c < s.channels; c++) left[c] = Load(dy[result + c]);
          float* __restrict rest = left.data();
          ForWindow(s, n, i, j, [&](int64_t position) {
            const T* __restrict p = x + position * s.channels;
            float* __restrict q = &sums[position * s.channels - n * size];
            for (int64_t c = 0; c < s.channels; c++) {
              const float given = Load(p[c]) == Load(largest[c]) ? rest[c] : 0.0f;
              q[c] += given;
              rest[c] -= given;
            }
          });
        }
      for (int64_t i = 0; i < size; i++) dx[n * size + i] = Cast<T>(sums[i]);
    }
  });
}

}  // namespace
}  // namespace cascade
