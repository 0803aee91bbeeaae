// The windows of a map that the positions of a result read, in place, from maps with zeros around them.

#pragma once

#include "integer-maps.h"
#include "padded-maps.h"

namespace cascade {
namespace {

// Output positions (row + step i, column + step j), i < rows, j < columns, each with a window of the input that begins at
// (input_step i + top, input_step j + left) and has `height` x `width` positions.
struct WindowGrid {
  int64_t row, column, step, rows, columns;
  int64_t input_step, top, left, height, width;

  int64_t OfMap() const { return rows * columns; }
  int64_t Depth(int64_t channels) const { return height * width * channels; }
  // What the windows need around a map.
  Border Around(const MapShape& map) const {
    const auto missing = [](int64_t value) { return std::max<int64_t>(0, value); };
    return {missing(-top), missing(-left), missing(input_step * (rows - 1) + top + height - map.height),
            missing(input_step * (columns - 1) + left + width - map.width)};
  }
};

inline WindowGrid ForwardGrid(const ConvolutionShape& s) {
  return {0, 0, 1, s.OutHeight(), s.OutWidth(), s.stride, -s.Padding(), -s.Padding(), s.size, s.size};
}

// The taps of one axis that a remainder of dx reads: every stride-th from `last` down to `first`, the window of dy growing.
struct AxisTaps {
  AxisTaps(const ConvolutionShape& s, int64_t remainder, int64_t side)
      : first((remainder + s.Padding()) % s.stride),
        count(first < s.size ? (s.size - 1 - first) / s.stride + 1 : 0),
        last(first + (count - 1) * s.stride),
        begin((remainder + s.Padding() - last) / s.stride),
        positions(side > remainder ? (side - 1 - remainder) / s.stride + 1 : 0) {}
  const int64_t first, count, last, begin, positions;
};

constexpr int64_t kFloatsTogether = 32 * 1024;  // of maps that are worked on together

// Maps that are worked on together.
inline int64_t MapsTogether(const MapShape& shape) {
  const int64_t floats = std::max<int64_t>(1, shape.height * shape.width * shape.channels);
  return std::clamp<int64_t>(kFloatsTogether / floats, 1, std::max<int64_t>(1, shape.batch));
}

// Windows on a stretch of maps: where each position's window begins, and where its terms lie from there.
template <typename Maps>
class Windows {
 public:
  using Value = typename Maps::Value;

  Windows(const WindowGrid& grid, const typename Maps::Stored* maps, const MapShape& shape, int64_t together)
      : grid_(grid), border_(grid.Around(shape)), maps_(maps, shape, border_, together) {
    for (int64_t a = 0; a < grid.height; a++)
      for (int64_t b = 0; b < grid.width; b++)
        for (int64_t c = 0; c < shape.channels / MicroKernel<Value>::kNeighbours; c++) terms_.push_back(maps_.Offset(0, a, b) + c);
    for (int64_t map = 0; map < together; map++)
      for (int64_t i = 0; i < grid.rows; i++)
        for (int64_t j = 0; j < grid.columns; j++)
          positions_.push_back(maps_.Offset(map, grid.input_step * i + grid.top + border_.top, grid.input_step * j + grid.left + border_.left));
  }

  const Value* Take(int64_t first, int64_t last) const { return maps_.Take(first, last); }
  const Maps& Taken() const { return maps_; }
  const std::vector<int64_t>& Terms() const { return terms_; }
  const std::vector<int64_t>& Positions() const { return positions_; }

 private:
  const WindowGrid grid_;
  const Border border_;
  const Maps maps_;
  std::vector<int64_t> terms_, positions_;
};

// Pointers to the rows of a micro-tile, the last one again where there are fewer.
template <typename U>
struct MicroRows {
  MicroRows(const U* values, const std::vector<int64_t>& offsets, int64_t first, int64_t count) {
    for (int64_t r = 0; r < kMicroRows; r++) rows[r] = values + offsets[std::min(first + r, count - 1)];
  }
  const U* rows[kMicroRows];
};

}  // namespace
}  // namespace cascade
