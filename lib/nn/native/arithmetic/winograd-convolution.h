// The 3x3 convolution, and its gradient by the input, after winograd.h. The filter is transformed first; of the map, as many
// tiles as stay in the cache are transformed, multiplied and transformed back together, so that nothing in between is
// written to memory. Channels are a multiple of kChannelGroup.

#pragma once

#include "epilogue.h"
#include "micro-kernel.h"
#include "tiles.h"

namespace cascade {
namespace {

constexpr int64_t kCachedBytes = 200 * 1024;         // of transformed tiles that are worked on together
constexpr int64_t kFetchedBytes = 16 * 1024 * 1024;  // of a transformed filter above which no cache holds it
constexpr int64_t kRowsOfFetch = 32;                 // of tiles, at least, that each fetch of such a filter serves
constexpr int64_t kGroupsWanted = 16;                // below which the channels of the result are shared out instead
constexpr int64_t kTapCount = kFilter * kFilter;

// Tiles that a thread convolves together, in whole micro-tiles: their transforms stay in its cache, unless the filter is what
// is waited for.
template <typename U>
int64_t TilesTogether(int64_t places, int64_t inputs, int64_t outputs) {
  constexpr int64_t rows = MicroKernel<U>::kRows;
  const int64_t bytes = places * inputs * sizeof(U) / MicroKernel<U>::kNeighbours;
  const int64_t least = bytes * outputs > kFetchedBytes ? kRowsOfFetch / rows : 1;
  return std::max(least, kCachedBytes / (bytes * rows)) * rows;
}

// A transformed filter u [places, C' / columns, C / neighbours, columns], with columns those of a micro-tile, and where U
// has scales those of [places, C'].
template <typename Algorithm, typename U>
class TransformedFilter {
 public:
  // filter [3, 3, C, C']; transposed, for the gradient by the input, C and C' change places and the taps are mirrored.
  TransformedFilter(const Threads& threads, const float* filter, int64_t filter_inputs, int64_t filter_outputs, bool transposed)
      : inputs(transposed ? filter_outputs : filter_inputs),
        outputs(transposed ? filter_inputs : filter_outputs),
        columns(MicroColumns<U>(outputs)),
        depth(inputs / MicroKernel<U>::kNeighbours),
        u_(kPlaces * depth * outputs),
        scale_(MicroKernel<U>::kScaled ? kPlaces * outputs : 0) {
    threads.For(outputs / kLanes, 10 * inputs * kLanes, [&](int64_t begin, int64_t end) {
      Buffer<float> taps(kTapCount * inputs * kLanes);
      for (int64_t first = begin * kLanes; first < end * kLanes; first += kLanes) {
        LayOutTaps(filter, filter_inputs, filter_outputs, transposed, first, taps.get());
        Transform(taps.get(), first);
      }
    });
  }

  // The right side of products at a place, from output channel k on.
  Side<U> At(int64_t place, int64_t k) const {
    return {u_.get() + (place * outputs + k) * depth, 1, columns, scale_.get() + place * outputs + k};
  }

  const int64_t inputs, outputs, columns, depth;

 private:
  static constexpr int64_t kPlaces = PlacesOf<Algorithm>();

  // -> taps [tap, C, kLanes], the outputs from `first` on
  static void LayOutTaps(const float* filter, int64_t inputs, int64_t outputs, bool transposed, int64_t first, float* taps) {
    for (int64_t tap = 0; tap < kTapCount; tap++) {
      if (!transposed) {
        for (int64_t c = tap * inputs; c < (tap + 1) * inputs; c++) StoreLanes(LoadLanes(filter + c * outputs + first), taps + c * kLanes);
        continue;
      }
      const float* from = filter + ((kTapCount - 1 - tap) * inputs + first) * outputs;
      float* to = taps + tap * outputs * kLanes;
      for (int64_t c = 0; c < outputs; c++)
        for (int64_t lane = 0; lane < kLanes; lane++) to[c * kLanes + lane] = from[lane * outputs + c];
    }
  }

  // The transform of taps [tap, C, kLanes] at input c.
  void TransformTaps(const float* taps, int64_t c, Lanes (&u)[kPlaces]) const {
    TransformBoth<Algorithm::Filter, kFilter, Algorithm::kPlaces>(
        [&](int64_t i, int64_t j) { return LoadLanes(taps + ((i * kFilter + j) * inputs + c) * kLanes); },
        [&](int64_t i, int64_t j, Lanes value) { u[i * Algorithm::kPlaces + j] = value; });
  }

  // What makes integers of the transformed taps at each place; keeps the scales that turn them back.
  void ScaleTaps(const float* taps, int64_t first, Lanes (&factor)[kPlaces]) {
    Lanes squares[kPlaces]{};
    for (int64_t c = 0; c < inputs; c++) {
      Lanes u[kPlaces];
      TransformTaps(taps, c, u);
      for (int64_t place = 0; place < kPlaces; place++) squares[place] = FusedMultiplyAdd(u[place], u[place], squares[place]);
    }
    for (int64_t place = 0; place < kPlaces; place++) factor[place] = FactorOf(squares[place], scale_.get() + place * outputs + first);
  }

  // The outputs from `first` on.
  void Transform(const float* taps, int64_t first) {
    constexpr int64_t neighbours = MicroKernel<U>::kNeighbours;
    U* to = u_.get() + first / columns * columns * depth + first % columns;
    Lanes factor[kPlaces];
    if constexpr (MicroKernel<U>::kScaled) ScaleTaps(taps, first, factor);
    for (int64_t c = 0; c < depth; c++) {
      Lanes transformed[neighbours][kPlaces];
      for (int64_t n = 0; n < neighbours; n++) TransformTaps(taps, c * neighbours + n, transformed[n]);
      for (int64_t place = 0; place < kPlaces; place++) {
        Lanes values[neighbours];
        for (int64_t n = 0; n < neighbours; n++) {
          values[n] = transformed[n][place];
          if constexpr (MicroKernel<U>::kScaled) values[n] *= factor[place];
        }
        MicroKernel<U>::StoreRight(values, to + place * outputs * depth + c * columns);
      }
    }
  }

  const Buffer<U> u_;
  const Buffer<float> scale_;
};

// y [N, H', W', C'] from x [N, H, W, C] and the filter.
template <typename Algorithm, typename T, typename U>
class WinogradConvolution {
 public:
  WinogradConvolution(const Threads& threads, const Maps& maps_x, const T* x, const TransformedFilter<Algorithm, U>& filter,
                      const Epilogue& epilogue, T* y)
      : x_(x), filter_(filter), epilogue_(epilogue), y_(y),
        // The result's sides: kOutput positions for every kStep of the input.
        tiles_y_(OutputTiles<Algorithm>({maps_x.batch, maps_x.height / Algorithm::kStep * Algorithm::kOutput, maps_x.width / Algorithm::kStep * Algorithm::kOutput})),
        tiles_x_(InputTiles<Algorithm>(maps_x, tiles_y_)),
        together_(TilesTogether<U>(kPlaces, filter.inputs, filter.outputs)),
        zeros_(filter.inputs, Cast<T>(0.0f)) {
    if (CeilDiv(tiles_y_.count, together_) >= kGroupsWanted) ConvolveGroups(threads);
    else ConvolveTogether(threads);
  }

 private:
  static constexpr int64_t kSide = Algorithm::kPlaces, kPlaces = PlacesOf<Algorithm>(), kRows = MicroKernel<U>::kRows;

  // Transformed tiles, one place `stride` after the other, as left sides of products.
  struct LeftSides {
    // Rows from `filled` on are zero until something is put there.
    LeftSides(int64_t rows, int64_t filled, int64_t depth) : tiles(RoundUp(rows, kRows)), depth(depth), stride(PlaceStride(tiles * depth)), v(kPlaces * stride), scale(kPlaces * tiles) {
      for (int64_t place = 0; place < kPlaces; place++) std::fill(v.get() + place * stride + filled * depth, v.get() + place * stride + tiles * depth, U{});
    }
    Side<U> At(int64_t place, int64_t tile) const {
      return {v.get() + place * stride + tile * depth, depth, 1, scale.get() + place * tiles + tile};
    }
    const int64_t tiles, depth, stride;
    const Buffer<U> v;
    const Buffer<float> scale;
  };

  // Many tiles: a thread takes as many as stay in its cache, and all channels of their results.
  void ConvolveGroups(const Threads& threads) const {
    const int64_t cost = together_ * kPlaces * filter_.inputs * filter_.outputs / 16;
    threads.For(CeilDiv(tiles_y_.count, together_), cost, [&](int64_t begin, int64_t end) {
      const LeftSides left(together_, 0, filter_.depth);
      for (int64_t first = begin * together_; first < std::min(end * together_, tiles_y_.count); first += together_) {
        const int64_t last = std::min(first + together_, tiles_y_.count);
        TransformInputs(first, last, left, 0);
        Multiply(left, 0, first, last, 0, filter_.outputs);
      }
    });
  }

  // Few tiles: the threads share out their transforms first, and then the channels of the result.
  void ConvolveTogether(const Threads& threads) const {
    const LeftSides left(tiles_y_.count, tiles_y_.count, filter_.depth);
    threads.For(tiles_y_.count, kPlaces * filter_.inputs, [&](int64_t begin, int64_t end) { TransformInputs(begin, end, left, begin); });
    const int64_t groups = CeilDiv(tiles_y_.count, together_), blocks = filter_.outputs / filter_.columns;
    threads.For(blocks * groups, together_ * kPlaces * filter_.inputs * filter_.columns / 16, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; item++) {
        const int64_t first = item % groups * together_, k = item / groups * filter_.columns;
        Multiply(left, first, first, std::min(first + together_, tiles_y_.count), k, k + filter_.columns);
      }
    });
  }

  // The results of tiles `first` to `last`, whose left sides begin at row `at`, in channels k to `end`.
  void Multiply(const LeftSides& left, int64_t at, int64_t first, int64_t last, int64_t k, int64_t end) const {
    const int64_t columns = filter_.columns, rows = RoundUp(last - first, kRows), m_stride = PlaceStride(rows * columns);
    const Buffer<float> m(kPlaces * m_stride);
    const Prepared<U> prepared(filter_.depth);
    for (; k < end; k += columns) {
      for (int64_t place = 0; place < kPlaces; place++)
        for (int64_t row = 0; row < rows; row += kRows)
          cascade::Multiply(false, std::min(kRows, last - first - row), columns, left.At(place, at + row), filter_.At(place, k), filter_.depth, m.get() + place * m_stride + row * columns, columns);
      for (int64_t tile = first; tile < last; tile++) TransformOutput(tile, k, m.get() + (tile - first) * columns, m_stride);
    }
  }

  // Tiles `begin` to `end`, from row `at` of the left sides on.
  void TransformInputs(int64_t begin, int64_t end, const LeftSides& left, int64_t at) const {
    constexpr auto transform = TransformTiles<Algorithm::Input, Algorithm::kInput, kSide, T>;
    const int64_t inputs = filter_.inputs;
    U* v = left.v.get() + at * left.depth;
    if constexpr (MicroKernel<U>::kScaled) {
      const Buffer<float> transformed(kPlaces * inputs);
      float* scale = left.scale.get() + at;
      for (int64_t tile = begin; tile < end; tile++, v += left.depth, scale++) {
        transform(x_, zeros_.data(), tiles_x_, inputs, tile, tile + 1, transformed.get(), Layout{inputs, inputs, 0});
        for (int64_t place = 0; place < kPlaces; place++)
          ToIntegers(transformed.get() + place * inputs, inputs, v + place * left.stride, scale + place * left.tiles);
      }
    } else {
      transform(x_, zeros_.data(), tiles_x_, inputs, begin, end, v, Layout{left.stride, inputs, 0});
    }
  }

  // The outputs of a tile, a micro-tile's columns from channel k on, from its sums at each place.
  void TransformOutput(int64_t tile, int64_t k, const float* sums, int64_t stride) const {
    const int64_t outputs = filter_.outputs;
    T* to = y_ + tiles_y_.At(tile, tiles_y_.Top(tile), tiles_y_.Left(tile)) * outputs + k;
    const int64_t at = epilogue_.IsNone() ? 0 : epilogue_.At(tile / tiles_y_.of_image, outputs) + k;
    for (int64_t lane = 0; lane < filter_.columns; lane += kLanes) {
      const auto sum_at = [&](int64_t i, int64_t j) { return LoadLanes(sums + lane + (i * kSide + j) * stride); };
      const auto store = [&](int64_t i, int64_t j, Lanes value) {
        StoreLanes(value, to + (i * tiles_y_.maps.width + j) * outputs + lane);
      };
      if (epilogue_.IsNone()) {
        TransformBoth<Algorithm::Output, kSide, Algorithm::kOutput>(sum_at, store);
      } else {
        const Lanes gain = LoadLanes(epilogue_.Gain(at + lane)), bias = LoadLanes(epilogue_.Bias(at + lane));
        TransformBoth<Algorithm::Output, kSide, Algorithm::kOutput>(
            sum_at, [&](int64_t i, int64_t j, Lanes value) { store(i, j, epilogue_.Of(value, gain, bias)); });
      }
    }
  }

  const T* const x_;
  const TransformedFilter<Algorithm, U>& filter_;
  const EpilogueRows epilogue_;
  T* const y_;
  const Tiles tiles_y_, tiles_x_;
  const int64_t together_;
  const std::vector<T> zeros_;
};

// Whether filters and channels are such as the transforms want.
inline bool CanTransform(const ConvolutionShape& s) {
  return s.size == kFilter && s.inputs % kChannelGroup == 0 && s.outputs % kChannelGroup == 0;
}

// x of side maps_x; transposed for the gradient by the input, x being the gradient from above.
template <typename Algorithm, typename T>
void WinogradConvolve(const Threads& threads, const Maps& maps_x, const T* x, const float* filter, int64_t filter_inputs,
                      int64_t filter_outputs, bool transposed, const Epilogue& epilogue, T* y) {
  const auto convolve = [&](auto product) {
    using U = decltype(product);
    const TransformedFilter<Algorithm, U> transformed_filter(threads, filter, filter_inputs, filter_outputs, transposed);
    WinogradConvolution<Algorithm, T, U>(threads, maps_x, x, transformed_filter, epilogue, y);
  };
  if ((transposed ? filter_outputs : filter_inputs) < kManyChannels) convolve(ProductsOfFewChannels<T>{});
  else convolve(Products<T>{});
}

}  // namespace
}  // namespace cascade
