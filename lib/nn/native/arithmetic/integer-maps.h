// A few maps as 16-bit integers with zeros around them, for products of integers (micro-kernel.h). A map has one scale: as no
// window is longer than its map, every sum of products fits.

#pragma once

#include "micro-kernel.h"
#include "padded-maps.h"

namespace cascade {
namespace {

// As PaddedMaps, of floats whose channels are a multiple of kChannelGroup; two neighbouring channels are one value.
class IntegerMaps {
 public:
  using Stored = float;
  using Value = int32_t;

  IntegerMaps(const float* maps, const MapShape& shape, const Border& border, int64_t together)
      : maps_(maps), shape_(shape), border_(border), pairs_(shape.channels / 2), line_((shape.width + border.left + border.right) * pairs_),
        map_((shape.height + border.top + border.bottom) * line_), integers_(shape.height * shape.width * pairs_), padded_(together * map_), scales_(together) {
    std::fill_n(padded_.get(), together * map_, 0);
  }

  const int32_t* Take(int64_t first, int64_t last) const {
    const int64_t of_line = shape_.width * pairs_, of_map = shape_.height * of_line;
    for (int64_t n = first; n < last; n++) {
      ToIntegers(maps_ + 2 * n * of_map, 2 * of_map, integers_.get(), scales_.get() + (n - first));
      for (int64_t row = 0; row < shape_.height; row++)
        std::copy_n(integers_.get() + row * of_line, of_line, padded_.get() + Offset(n - first, row + border_.top, border_.left));
    }
    return padded_.get();
  }

  int64_t Offset(int64_t map, int64_t row, int64_t column) const { return map * map_ + row * line_ + column * pairs_; }
  // Of a map as it was taken last, counted from the first of them.
  float Scale(int64_t map) const { return scales_.get()[map]; }

 private:
  const float* const maps_;
  const MapShape shape_;
  const Border border_;
  const int64_t pairs_, line_, map_;
  const Buffer<int32_t> integers_, padded_;
  const Buffer<float> scales_;
};

}  // namespace
}  // namespace cascade
