// Convolution of any size, stride and channels as a matrix product: each output position's window of the map is a row of the
// left side, read in place from maps with zeros around them, and the filter is the right side.
//
// The gradient by the input is the same sum seen from there. With stride s, the positions of dx that lie s apart read the
// same taps, so they form a grid of their own with a smaller window on dy: one for each of the s x s remainders.

#pragma once

#include "direct-filter-gradient.h"
#include "epilogue.h"

namespace cascade {
namespace {

// The right side [depth, C'] of a product, laid out as [C' / columns, depth, columns] with columns those of a micro-tile.
template <typename U>
class RightSide;

// Of floats; zeros for columns that are missing, or the filter where it lies, if its columns fill whole lanes.
template <>
class RightSide<float> {
 public:
  // fill(term, row) writes the C' values of one term of the sums.
  template <typename Fill>
  RightSide(int64_t depth, int64_t outputs, const Fill& fill)
      : width_(RoundUp(outputs, kLanes)), stride_(MicroColumns(width_)), block_(depth * stride_), packed_(depth * width_), values_(packed_.get()) {
    std::vector<float> row(width_, 0.0f);
    for (int64_t term = 0; term < depth; term++) {
      fill(term, row.data());
      for (int64_t k = 0; k < width_; k += stride_) std::copy_n(&row[k], stride_, packed_.get() + k * depth + term * stride_);
    }
  }
  RightSide(int64_t outputs, const float* filter) : width_(outputs), stride_(outputs), block_(MicroColumns(outputs)), packed_(0), values_(filter) {}

  // From column k on, the first of a micro-tile's.
  Side<float> At(int64_t k) const { return {values_ + k / MicroColumns(width_) * block_, 1, stride_, nullptr}; }
  int64_t Width() const { return width_; }

 private:
  const int64_t width_, stride_, block_;
  const Buffer<float> packed_;
  const float* const values_;
};

// Of integers, pairs of neighbouring terms of a filter [depth, C'] whose columns fill whole lanes.
template <>
class RightSide<int32_t> {
 public:
  RightSide(int64_t depth, int64_t outputs, const float* filter)
      : width_(outputs), columns_(MicroColumns<int32_t>(outputs)), pairs_(depth / 2), values_(pairs_ * outputs), scale_(outputs) {
    for (int64_t first = 0; first < outputs; first += kLanes) {
      const auto term = [&](int64_t k) { return LoadLanes(filter + k * outputs + first); };
      Lanes squares{};
      for (int64_t k = 0; k < depth; k++) squares = FusedMultiplyAdd(term(k), term(k), squares);
      const Lanes factor = FactorOf(squares, scale_.get() + first);
      int32_t* to = values_.get() + first / columns_ * columns_ * pairs_ + first % columns_;
      for (int64_t k = 0; k < pairs_; k++) MicroKernel<int32_t>::StoreRight({term(2 * k) * factor, term(2 * k + 1) * factor}, to + k * columns_);
    }
  }

  Side<int32_t> At(int64_t k) const { return {values_.get() + k * pairs_, 1, columns_, scale_.get() + k}; }
  int64_t Width() const { return width_; }

 private:
  const int64_t width_, columns_, pairs_;
  const Buffer<int32_t> values_;
  const Buffer<float> scale_;
};

constexpr int64_t kItemsWanted = 16;  // below which the channels of the result are shared out too

// y [N, H', W', C'] on the grid's positions, from the map's windows and a right side.
template <typename T, typename U = float>
class DirectConvolution {
 public:
  DirectConvolution(const Threads& threads, const WindowGrid& grid, const T* map, const MapShape& shape, const RightSide<U>& right,
                    const Epilogue& epilogue, T* y, const MapShape& shape_y)
      : grid_(grid), right_(right), epilogue_(epilogue), y_(y), shape_y_(shape_y), columns_(MicroColumns(right.Width())),
        outputs_(OutputOffsets(MapsTogether(shape))) {
    const int64_t together = MapsTogether(shape), blocks = CeilDiv(shape.batch, together), tiles = right.Width() / columns_;
    const int64_t tiles_together = CeilDiv(tiles, std::min(tiles, CeilDiv(kItemsWanted, blocks)));
    const int64_t groups = CeilDiv(tiles, tiles_together);
    const int64_t cost = together * grid.OfMap() * grid.Depth(shape.channels) * tiles_together * columns_ / 16;
    threads.For(blocks * groups, cost, [&](int64_t begin, int64_t end) {
      const WindowsOf windows(grid, map, shape, together);
      const U* values = nullptr;
      for (int64_t item = begin; item < end; item++) {
        const int64_t first = item / groups * together, last = std::min(first + together, shape.batch);
        const int64_t tile = item % groups * tiles_together;
        // The same maps serve all groups of channels.
        if (item == begin || tile == 0) values = windows.Take(first, last);
        Convolve(windows, values, first, last, tile * columns_, std::min(tile + tiles_together, tiles) * columns_);
      }
    });
  }

 private:
  using WindowsOf = Windows<std::conditional_t<std::is_same_v<U, float>, PaddedMaps<T>, IntegerMaps>>;

  // Maps `first` to `last`, whose values were taken, channels k to `end` of the result.
  void Convolve(const WindowsOf& windows, const U* values, int64_t first, int64_t last, int64_t k, int64_t end) const {
    const int64_t count = (last - first) * grid_.OfMap();
    const auto& terms = windows.Terms();
    float sums[kMicroRows * 2 * kLanes], scale[kMicroRows];
    for (; k < end; k += columns_)
      for (int64_t position = 0; position < count; position += kMicroRows) {
        const MicroRows<U> left(values, windows.Positions(), position, count);
        if constexpr (MicroKernel<U>::kScaled)
          for (int64_t r = 0; r < kMicroRows; r++) scale[r] = windows.Taken().Scale(std::min(position + r, count - 1) / grid_.OfMap());
        MultiplyGathered(false, std::min(kMicroRows, count - position), columns_, left.rows, scale, terms.data(), terms.size(), right_.At(k), sums, columns_);
        Store(first, position, std::min(position + kMicroRows, count), k, sums);
      }
  }

  void Store(int64_t map, int64_t begin, int64_t end, int64_t k, const float* sums) const {
    const int64_t channels = shape_y_.channels, count = std::min(columns_, channels - k);
    T* y = y_ + map * shape_y_.height * shape_y_.width * channels + k;
    for (int64_t position = begin; position < end; position++, sums += columns_) {
      T* to = y + outputs_[position];
      const int64_t at = epilogue_.IsNone() ? 0 : epilogue_.At(map + position / grid_.OfMap(), channels) + k;
      if (count == columns_)
        for (int64_t c = 0; c < count; c += kLanes) StoreLanes(Finished(LoadLanes(sums + c), at + c), to + c);
      else
        StoreRest(sums, at, count, to);
    }
  }

  // Fewer channels than a micro-tile has columns.
  void StoreRest(const float* __restrict sums, int64_t at, int64_t count, T* __restrict to) const {
    if (epilogue_.IsNone()) {
      for (int64_t c = 0; c < count; c++) to[c] = Cast<T>(sums[c]);
      return;
    }
    const float* __restrict gain = epilogue_.Gain(at);
    const float* __restrict bias = epilogue_.Bias(at);
    for (int64_t c = 0; c < count; c++) to[c] = Cast<T>(epilogue_.Of(sums[c], gain[c], bias[c]));
  }

  Lanes Finished(Lanes sum, int64_t at) const {
    return epilogue_.IsNone() ? sum : epilogue_.Of(sum, LoadLanes(epilogue_.Gain(at)), LoadLanes(epilogue_.Bias(at)));
  }

  // Where the result of each position of a stretch of maps lies, from the first map on.
  std::vector<int64_t> OutputOffsets(int64_t maps) const {
    std::vector<int64_t> offsets;
    for (int64_t map = 0; map < maps; map++)
      for (int64_t i = 0; i < grid_.rows; i++)
        for (int64_t j = 0; j < grid_.columns; j++) {
          const int64_t row = map * shape_y_.height + grid_.row + grid_.step * i;
          offsets.push_back((row * shape_y_.width + grid_.column + grid_.step * j) * shape_y_.channels);
        }
    return offsets;
  }

  const WindowGrid grid_;
  const RightSide<U>& right_;
  const EpilogueRows epilogue_;
  T* const y_;
  const MapShape shape_y_;
  const int64_t columns_;
  const std::vector<int64_t> outputs_;
};

template <typename U>
RightSide<U> PackedRightSide(int64_t depth, int64_t outputs, const float* filter) {
  if constexpr (MicroKernel<U>::kScaled) return RightSide<U>(depth, outputs, filter);
  else return RightSide<U>(depth, outputs, [&](int64_t term, float* row) { std::copy_n(filter + term * outputs, outputs, row); });
}

struct Direct {
  template <typename T>
  static void Convolve(const Threads& threads, const ConvolutionShape& s, const Epilogue& epilogue, const T* x, const float* filter, T* y) {
    const WindowGrid grid = ForwardGrid(s);
    const MapShape shape{s.batch, s.height, s.width, s.inputs}, shape_y{s.batch, s.OutHeight(), s.OutWidth(), s.outputs};
    if (s.outputs % kLanes == 0) {
      DirectConvolution<T>(threads, grid, x, shape, RightSide<float>(s.outputs, filter), epilogue, y, shape_y);
      return;
    }
    DirectConvolution<T>(threads, grid, x, shape, PackedRightSide<float>(grid.Depth(s.inputs), s.outputs, filter), epilogue, y, shape_y);
  }

  template <typename T>
  static void InputGradient(const Threads& threads, const ConvolutionShape& s, const T* dy, const float* filter, T* dx) {
    const MapShape shape{s.batch, s.OutHeight(), s.OutWidth(), s.outputs}, shape_x{s.batch, s.height, s.width, s.inputs};
    for (int64_t row = 0; row < s.stride; row++)
      for (int64_t column = 0; column < s.stride; column++) {
        const AxisTaps down(s, row, s.height), across(s, column, s.width);
        const WindowGrid grid{row, column, s.stride, down.positions, across.positions, 1, down.begin, across.begin, down.count, across.count};
        if (grid.OfMap() == 0) continue;
        // The taps in the order of the window, with the channels of dy as terms.
        const RightSide<float> right(grid.Depth(s.outputs), s.inputs, [&](int64_t term, float* to) {
          const int64_t k = term % s.outputs, tap = term / s.outputs;
          const int64_t a = down.last - tap / across.count * s.stride, b = across.last - tap % across.count * s.stride;
          for (int64_t c = 0; c < s.inputs; c++) to[c] = filter[((a * s.size + b) * s.inputs + c) * s.outputs + k];
        });
        DirectConvolution<T>(threads, grid, dy, shape, right, Epilogue{}, dx, shape_x);
      }
  }

  template <typename T>
  static void FilterGradient(const Threads& threads, const ConvolutionShape& s, const T* x, const T* dy, float* dw) {
    DirectFilterGradient<T>(threads, s, x, dy).Compute(dw);
  }
};

}  // namespace
}  // namespace cascade
