// The parts of maps that winograd.h transforms, and where their transforms lie.

#pragma once

#include "winograd.h"

namespace cascade {
namespace {

// A stack of maps [N, H, W, C], as far as its positions go.
struct Maps {
  explicit Maps(const Tensor& x) : batch(x.dim_size(0)), height(x.dim_size(1)), width(x.dim_size(2)) {}
  Maps(int64_t batch, int64_t height, int64_t width) : batch(batch), height(height), width(width) {}
  int64_t batch, height, width;
};

// The parts of such maps, side x side positions each, `step` apart, the first one from `reach` before the map on.
struct Parts {
  Parts(const Maps& maps, int64_t step, int64_t reach, int64_t rows, int64_t columns)
      : maps(maps), step(step), reach(reach), columns(columns), of_image(rows * columns), count(maps.batch * of_image) {}

  int64_t Top(int64_t part) const { return part % of_image / columns * step - reach; }
  int64_t Left(int64_t part) const { return part % columns * step - reach; }
  bool Inside(int64_t row, int64_t column) const { return row >= 0 && row < maps.height && column >= 0 && column < maps.width; }
  // Offset of a position of a part's image, in units of channels.
  int64_t At(int64_t part, int64_t row, int64_t column) const { return (part / of_image * maps.height + row) * maps.width + column; }

  const Maps maps;
  const int64_t step, reach, columns, of_image, count;
};

// The parts of the result, whose sides are multiples of a part's, and those of the input.
template <typename Way>
Parts OutputParts(const Maps& maps) {
  return Parts(maps, Way::kOutput, 0, maps.height / Way::kOutput, maps.width / Way::kOutput);
}

template <typename Way>
Parts InputParts(const Maps& maps, const Parts& outputs) {
  return Parts(maps, Way::kStep, Way::kReach, outputs.of_image / outputs.columns, outputs.columns);
}

// Where transformed values are put: v [places, C / block, parts, block], the places `place` values and the blocks `blocks`
// values apart.
struct Layout {
  int64_t place, block, blocks;
};

// Transforms parts `begin` to `end` of map [N, H, W, C], side x side positions each and `nothing` [C] outside the map, to v.
template <auto transform, int64_t side, int64_t place_side, typename T>
void TransformParts(const T* map, const T* nothing, const Parts& parts, int64_t channels, int64_t begin, int64_t end, float* v,
                    const Layout& layout) {
  for (int64_t part = begin; part < end; part++) {
    const T* from[side][side];
    for (int64_t i = 0; i < side; i++)
      for (int64_t j = 0; j < side; j++) {
        const int64_t row = parts.Top(part) + i, column = parts.Left(part) + j;
        from[i][j] = parts.Inside(row, column) ? map + parts.At(part, row, column) * channels : nothing;
      }
    for (int64_t c = 0; c < channels; c += kLanes) {
      float* to = v + c / layout.block * layout.blocks + (part - begin) * layout.block + c % layout.block;
      TransformBoth<transform, side, place_side>(
          [&](int64_t i, int64_t j) { return LoadLanes(from[i][j] + c); },
          [&](int64_t i, int64_t j, Lanes value) { StoreLanes(value, to + (i * place_side + j) * layout.place); });
    }
  }
}

// From one place to the next: a power of two would put all places into the same set of the cache.
inline int64_t PlaceStride(int64_t values) { return values + kLanes; }

// For values stored as T and products of U.
#define REGISTER_FOR_PRODUCTS(name, Op, Way, T, U) \
  REGISTER_KERNEL_BUILDER(Name(name).Device(DEVICE_CPU).TypeConstraint<T>("T").TypeConstraint<U>("U"), Op<Way, T, U>)

#ifdef __AVX512VNNI__
#define REGISTER_FOR_INTEGERS(name, Op, Way) REGISTER_FOR_PRODUCTS(name, Op, Way, bfloat16, int32_t)
#else
#define REGISTER_FOR_INTEGERS(name, Op, Way)
#endif

// For every kind of values, and of products, that there are.
#define REGISTER_BY_PARTS(name, Op, Way)                 \
  REGISTER_FOR_PRODUCTS(name, Op, Way, float, float);    \
  REGISTER_FOR_PRODUCTS(name, Op, Way, bfloat16, float); \
  REGISTER_FOR_INTEGERS(name, Op, Way)

}  // namespace
}  // namespace cascade
