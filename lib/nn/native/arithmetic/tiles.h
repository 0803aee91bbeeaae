// The tiles of maps that winograd.h transforms, and where their transforms lie.

#pragma once

#include "byte-kernel.h"
#include "winograd.h"

namespace cascade {
namespace {

// A stack of maps [N, H, W, C], as far as its positions go.
struct Maps {
  int64_t batch, height, width;
};

// The tiles of such maps, `step` apart, the first one from `padding` before the map on.
struct Tiles {
  Tiles(const Maps& maps, int64_t step, int64_t padding, int64_t rows, int64_t columns)
      : maps(maps), step(step), padding(padding), columns(columns), of_image(rows * columns), count(maps.batch * of_image) {}

  int64_t Top(int64_t tile) const { return tile % of_image / columns * step - padding; }
  int64_t Left(int64_t tile) const { return tile % columns * step - padding; }
  bool Inside(int64_t row, int64_t column) const { return row >= 0 && row < maps.height && column >= 0 && column < maps.width; }
  // Offset of a position of a tile's image, in units of channels.
  int64_t At(int64_t tile, int64_t row, int64_t column) const { return (tile / of_image * maps.height + row) * maps.width + column; }

  const Maps maps;
  const int64_t step, padding, columns, of_image, count;
};

// The tiles of the result, whose sides are multiples of a tile's, and those of the input.
template <typename Algorithm>
Tiles OutputTiles(const Maps& maps) {
  return Tiles(maps, Algorithm::kOutput, 0, maps.height / Algorithm::kOutput, maps.width / Algorithm::kOutput);
}

template <typename Algorithm>
Tiles InputTiles(const Maps& maps, const Tiles& outputs) {
  return Tiles(maps, Algorithm::kStep, Algorithm::kPadding, outputs.of_image / outputs.columns, outputs.columns);
}

// Where transformed values are put: v [places, C / block, tiles, block], the places `place` values and the blocks `blocks`
// values apart.
struct Layout {
  int64_t place, block, blocks;
};

// Transforms tiles `begin` to `end` of map [N, H, W, C], side x side positions each and `zeros` [C] outside the map, to v.
template <auto transform, int64_t side, int64_t place_side, typename T>
void TransformTiles(const T* map, const T* zeros, const Tiles& tiles, int64_t channels, int64_t begin, int64_t end, float* v,
                    const Layout& layout) {
  for (int64_t tile = begin; tile < end; tile++) {
    const T* from[side][side];
    for (int64_t i = 0; i < side; i++)
      for (int64_t j = 0; j < side; j++) {
        const int64_t row = tiles.Top(tile) + i, column = tiles.Left(tile) + j;
        from[i][j] = tiles.Inside(row, column) ? map + tiles.At(tile, row, column) * channels : zeros;
      }
    for (int64_t c = 0; c < channels; c += kLanes) {
      float* to = v + c / layout.block * layout.blocks + (tile - begin) * layout.block + c % layout.block;
      TransformBoth<transform, side, place_side>(
          [&](int64_t i, int64_t j) { return LoadLanes(from[i][j] + c); },
          [&](int64_t i, int64_t j, Lanes value) { StoreLanes(value, to + (i * place_side + j) * layout.place); });
    }
  }
}

// From one place to the next: a power of two would put all places into the same set of the cache.
inline int64_t PlaceStride(int64_t values) { return values + kChannelGroup; }

// What products are taken of: bfloat16 is multiplied as 16-bit integers.
template <typename T>
using Products = std::conditional_t<std::is_same_v<T, float>, float, IntegerProducts>;

// Along few channels matrix registers take longer to fill and to empty than to multiply: there pairs of integers are
// multiplied, to the same bits. Timed with registers everywhere, full width came out even and quarter width a sixth slower,
// which puts the break-even at some 130 channels (docs/results.md).
constexpr int64_t kManyChannels = 256;
template <typename T>
using ProductsOfFewChannels = std::conditional_t<std::is_same_v<T, float>, float, int32_t>;

}  // namespace
}  // namespace cascade
