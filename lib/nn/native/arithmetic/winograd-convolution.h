// The 3x3 convolution, and its gradient by the input, after winograd.h. The filter is transformed first; of the map, as many
// tiles as stay in the cache are transformed, multiplied and transformed back together, so that nothing in between is
// written to memory. Channels are a multiple of kChannelGroup.

#pragma once

#include "epilogue.h"
#include "micro-kernel.h"
#include "tiles.h"

namespace cascade {
namespace {

constexpr int64_t kCachedBytes = 200 * 1024;  // of transformed tiles that are worked on together
constexpr int64_t kTapCount = kFilter * kFilter;

// Tiles that a thread convolves together, in whole micro-tiles: their transforms stay in its cache.
template <typename U>
int64_t TilesTogether(int64_t places, int64_t channels) {
  const int64_t bytes = places * channels * kMicroRows * sizeof(U) / MicroKernel<U>::kNeighbours;
  return std::max<int64_t>(1, kCachedBytes / bytes) * kMicroRows;
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
        columns(MicroColumns(outputs)),
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
        const Lanes row = MicroKernel<U>::Pack(values);
        std::memcpy(to + place * outputs * depth + c * columns, &row, sizeof(row));
      }
    }
  }

  const Buffer<U> u_;
  const Buffer<float> scale_;
};

// y [N, H', W', C'] from x [N, H, W, C] and the filter.
template <typename Algorithm, typename T>
class WinogradConvolution {
 public:
  WinogradConvolution(const Threads& threads, const Maps& maps_x, const T* x, const TransformedFilter<Algorithm, Products<T>>& filter,
                      const Epilogue& epilogue, T* y)
      : x_(x), filter_(filter), epilogue_(epilogue), y_(y),
        // The result's sides: kOutput positions for every kStep of the input.
        tiles_y_(OutputTiles<Algorithm>({maps_x.batch, maps_x.height / Algorithm::kStep * Algorithm::kOutput, maps_x.width / Algorithm::kStep * Algorithm::kOutput})),
        tiles_x_(InputTiles<Algorithm>(maps_x, tiles_y_)),
        together_(TilesTogether<U>(kPlaces, filter.inputs)),
        zeros_(filter.inputs, Cast<T>(0.0f)) {
    const int64_t cost = together_ * kPlaces * filter.inputs * filter.outputs / 16;
    threads.For(CeilDiv(tiles_y_.count, together_), cost, [&](int64_t begin, int64_t end) {
      Convolve(begin * together_, std::min(end * together_, tiles_y_.count));
    });
  }

 private:
  using U = Products<T>;
  static constexpr int64_t kSide = Algorithm::kPlaces, kPlaces = PlacesOf<Algorithm>();

  void Convolve(int64_t begin, int64_t end) const {
    const int64_t columns = filter_.columns, depth = filter_.depth;
    const int64_t v_stride = PlaceStride(together_ * depth), m_stride = PlaceStride(together_ * columns);
    std::vector<U> v(kPlaces * v_stride, 0);
    Buffer<float> m(kPlaces * m_stride), transformed(kPlaces * filter_.inputs);
    std::vector<float> scale(kPlaces * together_);
    for (int64_t first = begin; first < end; first += together_) {
      const int64_t last = std::min(first + together_, end), rows = RoundUp(last - first, kMicroRows);
      TransformInputs(first, last, v.data(), v_stride, transformed.get(), scale.data());
      for (int64_t k = 0; k < filter_.outputs; k += columns) {
        for (int64_t place = 0; place < kPlaces; place++)
          for (int64_t row = 0; row < rows; row += kMicroRows) {
            const Side<U> a{&v[place * v_stride + row * depth], depth, 1, &scale[place * together_ + row]};
            Multiply<U>(false, columns, a, filter_.At(place, k), depth, m.get() + place * m_stride + row * columns, columns);
          }
        for (int64_t tile = first; tile < last; tile++) TransformOutput(tile, k, m.get() + (tile - first) * columns, m_stride);
      }
    }
  }

  // Tiles `begin` to `end` as left sides [tiles, C] of products, one place `stride` after the other; `transformed`
  // [places, C] is room for one tile.
  void TransformInputs(int64_t begin, int64_t end, U* v, int64_t stride, float* transformed, float* scale) const {
    constexpr auto transform = TransformTiles<Algorithm::Input, Algorithm::kInput, kSide, T>;
    const int64_t inputs = filter_.inputs;
    if constexpr (MicroKernel<U>::kScaled) {
      for (int64_t tile = begin; tile < end; tile++, v += filter_.depth, scale++) {
        transform(x_, zeros_.data(), tiles_x_, inputs, tile, tile + 1, transformed, Layout{inputs, inputs, 0});
        for (int64_t place = 0; place < kPlaces; place++)
          ToIntegers(transformed + place * inputs, inputs, v + place * stride, scale + place * together_);
      }
    } else {
      transform(x_, zeros_.data(), tiles_x_, inputs, begin, end, v, Layout{stride, inputs, 0});
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

// x of side maps_x; transposed for the gradient by the input, x being the gradient from above.
template <typename Algorithm, typename T>
void WinogradConvolve(const Threads& threads, const Maps& maps_x, const T* x, const float* filter, int64_t filter_inputs,
                      int64_t filter_outputs, bool transposed, const Epilogue& epilogue, T* y) {
  const TransformedFilter<Algorithm, Products<T>> transformed(threads, filter, filter_inputs, filter_outputs, transposed);
  WinogradConvolution<Algorithm, T>(threads, maps_x, x, transformed, epilogue, y);
}

}  // namespace
}  // namespace cascade
