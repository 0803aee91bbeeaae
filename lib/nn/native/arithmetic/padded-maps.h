// A few maps as floats with zeros around them, so that every window on them is read in place.

#pragma once

#include "lanes.h"

namespace cascade {
namespace {

// A stack of maps [N, H, W, C].
struct MapShape {
  int64_t batch, height, width, channels;
};

// Rows and columns of zeros around a map.
struct Border {
  int64_t top, left, bottom, right;
};

// Maps of a stack, a stretch at a time; without a border, maps of floats are read where they are.
template <typename T>
class PaddedMaps {
 public:
  using Stored = T;
  using Value = float;

  PaddedMaps(const T* maps, const MapShape& shape, const Border& border, int64_t together)
      : maps_(maps), shape_(shape), border_(border),
        in_place_(std::is_same_v<T, float> && border.top + border.left + border.bottom + border.right == 0),
        line_((shape.width + border.left + border.right) * shape.channels),
        map_((shape.height + border.top + border.bottom) * line_),
        padded_(in_place_ ? 0 : together * map_) {
    if (!in_place_) std::fill_n(padded_.get(), together * map_, 0.0f);
  }

  // Maps `first` to `last`, no more than fit, as floats; position (row, column) of map n lies at Offset(n - first, row, column).
  const float* Take(int64_t first, int64_t last) const {
    if constexpr (std::is_same_v<T, float>)
      if (in_place_) return maps_ + first * map_;
    const int64_t count = shape_.width * shape_.channels;
    for (int64_t n = first; n < last; n++)
      for (int64_t row = 0; row < shape_.height; row++) {
        const T* from = maps_ + (n * shape_.height + row) * count;
        float* to = padded_.get() + (n - first) * map_ + (row + border_.top) * line_ + border_.left * shape_.channels;
        if constexpr (std::is_same_v<T, float>) {
          std::memcpy(to, from, count * sizeof(float));
        } else {
          for (int64_t i = 0; i < count; i++) to[i] = Load(from[i]);
        }
      }
    return padded_.get();
  }

  // Rows and columns count from the border's first.
  int64_t Offset(int64_t map, int64_t row, int64_t column) const { return map * map_ + row * line_ + column * shape_.channels; }

 private:
  const T* const maps_;
  const MapShape shape_;
  const Border border_;
  const bool in_place_;
  const int64_t line_, map_;
  const Buffer<float> padded_;
};

}  // namespace
}  // namespace cascade
