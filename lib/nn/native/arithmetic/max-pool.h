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
inline Lanes Larger(Lanes a, Lanes b) { return ((b <= a) | (a != a)) ? a : b; }

// Channels in whole lanes are held in registers over a window: whole(c) takes kLanes of them from c on, rest(c, count) fewer.
template <typename Whole, typename Rest>
inline void ForChannels(int64_t channels, const Whole& whole, const Rest& rest) {
  int64_t c = 0;
  for (; c + kLanes <= channels; c += kLanes) whole(c);
  if (c < channels) rest(c, channels - c);
}

template <typename T>
void MaxPool(const Threads& threads, const PoolShape& s, const T* x, T* y) {
  const int64_t out_height = s.OutHeight(), out_width = s.OutWidth(), channels = s.channels;
  threads.For(s.batch * out_height, 9 * out_width * channels / 8, [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; item++)
      for (int64_t j = 0; j < out_width; j++) {
        const auto for_window = [&, item, j](const auto& work) { ForWindow(s, item / out_height, item % out_height, j, work); };
        T* q = y + (item * out_width + j) * channels;
        ForChannels(
            channels,
            [&](int64_t c) {
              Lanes most = Broadcast(-INFINITY);
              for_window([&](int64_t position) { most = Larger(most, LoadLanes(x + position * channels + c)); });
              StoreLanes(most, q + c);
            },
            [&](int64_t c, int64_t count) {
              float most[kLanes];
              std::fill_n(most, count, -INFINITY);
              for_window([&](int64_t position) {
                const T* __restrict p = x + position * channels + c;
                for (int64_t k = 0; k < count; k++) most[k] = Larger(most[k], Load(p[k]));
              });
              for (int64_t k = 0; k < count; k++) q[c + k] = Cast<T>(most[k]);
            });
      }
  });
}

// The gradient goes to the first position of the window that holds its maximum.
template <typename T>
void MaxPoolGradient(const Threads& threads, const PoolShape& s, const T* dy, const T* x, const T* y, T* dx) {
  const int64_t out_height = s.OutHeight(), out_width = s.OutWidth(), channels = s.channels;
  threads.For(s.batch, 9 * out_height * out_width * channels / 2, [&](int64_t begin, int64_t end) {
    const int64_t size = s.height * s.width * channels;
    constexpr bool in_place = std::is_same_v<T, float>;
    std::vector<float> wide(in_place ? 0 : size);
    for (int64_t n = begin; n < end; n++) {
      float* sums;
      if constexpr (in_place) sums = dx + n * size;
      else sums = wide.data();
      std::fill_n(sums, size, 0.0f);
      const T* const image = x + n * size;
      for (int64_t i = 0; i < out_height; i++)
        for (int64_t j = 0; j < out_width; j++) {
          const int64_t result = ((n * out_height + i) * out_width + j) * channels;
          // What of the output's gradient has found no place yet is left for the positions to come.
          ForChannels(
              channels,
              [&](int64_t c) {
                const Lanes largest = LoadLanes(y + result + c);
                Lanes left = LoadLanes(dy + result + c);
                ForWindow(s, 0, i, j, [&](int64_t position) {
                  const int64_t place = position * channels + c;
                  const Lanes given = LoadLanes(image + place) == largest ? left : Lanes{};
                  StoreLanes(LoadLanes(&sums[place]) + given, &sums[place]);
                  left -= given;
                });
              },
              [&](int64_t c, int64_t count) {
                float left[kLanes];
                const T* __restrict largest = y + result + c;
                for (int64_t k = 0; k < count; k++) left[k] = Load(dy[result + c + k]);
                ForWindow(s, 0, i, j, [&](int64_t position) {
                  const T* __restrict p = image + position * channels + c;
                  float* __restrict q = &sums[position * channels + c];
                  for (int64_t k = 0; k < count; k++) {
                    const float given = Load(p[k]) == Load(largest[k]) ? left[k] : 0.0f;
                    q[k] += given;
                    left[k] -= given;
                  }
                });
              });
        }
      if constexpr (!in_place)
        for (int64_t i = 0; i < size; i++) dx[n * size + i] = Cast<T>(sums[i]);
    }
  });
}

}  // namespace
}  // namespace cascade
