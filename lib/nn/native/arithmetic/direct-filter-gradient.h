// The gradient by the filter of a direct convolution: the windows' terms (windows.h) are the rows of a product that runs along
// the positions, and the gradient from above is its right side.

#pragma once

#include "windows.h"

namespace cascade {
namespace {

constexpr int64_t kDirectSplits = 8;               // of the maps, with sums of their own, where sums are few
constexpr int64_t kManyDirectSums = 9 * 64 * 128;  // above which sums are many
constexpr int64_t kPositionsOfSum = 512;           // summed before they are added to the rest, which keeps float's error small

// dw [k, k, C, C'] = sum over the positions of window [k k C] dy [C']
template <typename T>
class DirectFilterGradient {
 public:
  DirectFilterGradient(const Threads& threads, const ConvolutionShape& s, const T* x, const T* dy)
      : threads_(threads), grid_(ForwardGrid(s)), x_(x), shape_(MapShape{s.batch, s.height, s.width, s.inputs}), dy_(dy),
        shape_y_(MapShape{s.batch, s.OutHeight(), s.OutWidth(), s.outputs}),
        depth_(grid_.Depth(s.inputs)), rows_(RoundUp(depth_, kMicroRows)), width_(RoundUp(s.outputs, kLanes)), columns_(MicroColumns(width_)),
        of_split_(CeilDiv(s.batch, depth_ * s.outputs <= kManyDirectSums ? kDirectSplits : 1)), splits_(CeilDiv(s.batch, of_split_)),
        together_(std::min(of_split_, std::min(MapsTogether(shape_), MapsTogether(shape_y_)))),
        sums_(splits_ * rows_ * width_) {}

  void Compute(float* dw) const {
    threads_.For(splits_, of_split_ * grid_.OfMap() * depth_ * shape_y_.channels / 16, [&](int64_t begin, int64_t end) {
      const Windows<PaddedMaps<T>> windows(grid_, x_, shape_, together_);
      for (int64_t split = begin; split < end; split++) SumSplit(split, windows);
    });
    threads_.For(depth_, splits_ * shape_y_.channels, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++)
        for (int64_t k = 0; k < shape_y_.channels; k++) {
          float sum = 0;
          for (int64_t split = 0; split < splits_; split++) sum += sums_.get()[(split * rows_ + row) * width_ + k];
          dw[row * shape_y_.channels + k] = sum;
        }
    });
  }

 private:
  void SumSplit(int64_t split, const Windows<PaddedMaps<T>>& windows) const {
    float* sums = sums_.get() + split * rows_ * width_;
    const int64_t start = split * of_split_, stop = std::min(start + of_split_, shape_.batch);
    const bool in_place = std::is_same_v<T, float> && width_ == shape_y_.channels;
    const Buffer<float> padded(in_place ? 0 : together_ * grid_.OfMap() * width_);
    for (int64_t first = start; first < stop; first += together_) {
      const int64_t last = std::min(first + together_, stop), count = (last - first) * grid_.OfMap();
      const float* values = windows.Take(first, last);
      const T* gradient = dy_ + first * grid_.OfMap() * shape_y_.channels;
      const float* above = in_place ? reinterpret_cast<const float*>(gradient) : Pad(gradient, count, padded.get());
      const auto sum_rows = [&](int64_t begin, int64_t end) {
        for (int64_t k = 0; k < width_; k += columns_)
          for (int64_t row = begin * kMicroRows; row < end * kMicroRows; row += kMicroRows) {
            const MicroRows left(values, windows.Terms(), row, depth_);
            for (int64_t chunk = 0; chunk < count; chunk += kPositionsOfSum)
              MultiplyGathered(first + chunk > start, kMicroRows, columns_, left.rows, nullptr, windows.Positions().data() + chunk,
                               std::min(kPositionsOfSum, count - chunk), Side<float>{above + chunk * width_ + k, 1, width_, nullptr}, sums + row * width_ + k, width_);
          }
      };
      // The threads that no split keeps busy share out the rows.
      if (splits_ == 1) threads_.For(rows_ / kMicroRows, count * kMicroRows * width_ / 16, sum_rows);
      else sum_rows(0, rows_ / kMicroRows);
    }
  }

  // Gradients as floats, their channels filled up to whole lanes.
  const float* Pad(const T* gradient, int64_t count, float* to) const {
    const int64_t channels = shape_y_.channels;
    for (int64_t position = 0; position < count; position++, gradient += channels, to += width_) {
      for (int64_t k = 0; k < channels; k++) to[k] = Load(gradient[k]);
      std::fill(to + channels, to + width_, 0.0f);
    }
    return to - count * width_;
  }

  const Threads& threads_;
  const WindowGrid grid_;
  const T* const x_;
  const MapShape shape_;
  const T* const dy_;
  const MapShape shape_y_;
  const int64_t depth_, rows_, width_, columns_, of_split_, splits_, together_;
  const Buffer<float> sums_;
};

}  // namespace
}  // namespace cascade
