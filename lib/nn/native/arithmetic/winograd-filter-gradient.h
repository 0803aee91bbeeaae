// The gradient by the filter of a 3x3 convolution, after winograd.h: the tiles of the map and of the gradient from above are
// transformed, multiplied place by place and summed over all tiles, and the sums transformed back.
//
// Few sums are kept several times over, so that the threads work on tiles of their own, each in its cache; with many the
// threads share out the places instead. How many depends on the shape alone.

#pragma once

#include "micro-kernel.h"
#include "tiles.h"

namespace cascade {
namespace {

constexpr int64_t kManySums = 64 * 128;  // pairs of channels above which sums are many
constexpr int64_t kSplits = 8;           // of the terms, with sums of their own, where sums are few

// dw [3, 3, C, C'] from x [N, H, W, C] and dy [N, H', W', C'], stored as T.
template <typename Algorithm, typename T>
class WinogradFilterGradient {
 public:
  WinogradFilterGradient(const Threads& threads, const ConvolutionShape& s, const T* x, const T* dy)
      : threads_(threads), x_(x), dy_(dy),
        tiles_y_(OutputTiles<Algorithm>({s.batch, s.OutHeight(), s.OutWidth()})),
        tiles_x_(InputTiles<Algorithm>({s.batch, s.height, s.width}, tiles_y_)),
        inputs_(s.inputs), outputs_(s.outputs), size_(inputs_ * outputs_), columns_(MicroColumns<U>(outputs_)),
        of_split_(CeilDiv(tiles_y_.count, size_ <= kManySums ? kSplits : 1)), splits_(CeilDiv(tiles_y_.count, of_split_)),
        together_(std::min(TilesOfGradient(), of_split_)),
        room_(std::max(together_, kRoom)),
        layout_x_{PlaceStride(room_ * inputs_), kLanes, room_ * kLanes},
        layout_y_{PlaceStride(room_ * outputs_), columns_, room_ * columns_},
        zeros_(std::max(inputs_, outputs_), Cast<T>(0.0f)), sums_(splits_ * kPlaces * size_) {}

  void Compute(float* dw) const {
    threads_.For(splits_, of_split_ * kPlaces * size_ / 16, [&](int64_t begin, int64_t end) {
      const Buffer<float> v(kPlaces * layout_x_.place), above(kPlaces * layout_y_.place);
      for (int64_t split = begin; split < end; split++) SumSplit(split, v.get(), above.get());
    });
    TransformBack(dw);
  }

 private:
  using U = Products<T>;
  using M = MicroKernel<U>;
  // Tiles in whose place the least that products are taken of finds room.
  static constexpr int64_t kRoom = M::kDepth * sizeof(U) / sizeof(float);
  static constexpr int64_t kSide = Algorithm::kPlaces, kPlaces = PlacesOf<Algorithm>();

  // Tiles that are worked on together: enough that fetching their sums is worth while.
  int64_t TilesOfGradient() const { return std::max<int64_t>(128, size_ / 256); }

  void SumSplit(int64_t split, float* v, float* above) const {
    float* du = sums_.get() + split * kPlaces * size_;
    const int64_t start = split * of_split_, stop = std::min(start + of_split_, tiles_y_.count);
    for (int64_t first = start; first < stop; first += together_) {
      const int64_t count = std::min(together_, stop - first);
      InSplit(count, 10 * (inputs_ + outputs_), [&](int64_t begin, int64_t end) {
        TransformTiles<Algorithm::Input, Algorithm::kInput, kSide>(x_, zeros_.data(), tiles_x_, inputs_, first + begin, first + end,
                                                                   v + begin * layout_x_.block, layout_x_);
        TransformTiles<Algorithm::OutputGradient, Algorithm::kOutput, kSide>(dy_, zeros_.data(), tiles_y_, outputs_, first + begin,
                                                                             first + end, above + begin * layout_y_.block, layout_y_);
      });
      InSplit(kPlaces, count * size_ / 16, [&](int64_t begin, int64_t end) {
        for (int64_t place = begin; place < end; place++)
          SumPlace(first > start, count, v + place * layout_x_.place, above + place * layout_y_.place, du + place * size_);
      });
    }
  }

  // du [C, C'] = sum over the tiles of v [C / lanes, tiles, lanes] above [C' / columns, tiles, columns], or added to it.
  void SumPlace(bool accumulate, int64_t count, float* v, float* above, float* du) const {
    const int64_t depth = DepthOf(count);
    const Prepared<U> prepared(depth);
    std::vector<float> scale_x(inputs_), scale_y(outputs_);
    for (int64_t c = 0; c < inputs_; c += kLanes) {
      U* left = LayAlongTiles(v + c / kLanes * layout_x_.blocks, count, kLanes, &scale_x[c]);
      if constexpr (M::kRowsAlongSum)
        for (int64_t n = 0; n < depth; n += M::kDepth) M::TurnRun(left + n * kLanes);
    }
    for (int64_t k = 0; k < outputs_; k += columns_) {
      const U* right = LayAlongTiles(above + k / columns_ * layout_y_.blocks, count, columns_, &scale_y[k]);
      for (int64_t c = 0; c < inputs_; c += M::kRows) {
        const U* left = reinterpret_cast<const U*>(v + c / kLanes * layout_x_.blocks + c % kLanes);
        const Side<U> rows{left, M::kRowsAlongSum ? kLanes : 1, kLanes, &scale_x[c]}, columns{right, 1, columns_, &scale_y[k]};
        Multiply(accumulate, M::kRows, columns_, rows, columns, depth, du + c * outputs_ + k, outputs_);
      }
    }
  }

  // The U along so many tiles.
  static int64_t DepthOf(int64_t count) { return RoundUp(CeilDiv(count, M::kNeighbours), M::kDepth); }

  // A block [count, width] of tiles as a right side of products that run along the tiles, made in place; where U has scales,
  // with those of the block's columns. Where rows do not lie along the sum it is a left side as well.
  static U* LayAlongTiles(float* block, int64_t count, int64_t width, float* scale) {
    U* side = reinterpret_cast<U*>(block);
    if constexpr (M::kScaled)
      for (int64_t lane = 0; lane < width; lane += kLanes) {
        const auto at = [&](int64_t tile) { return tile < count ? LoadLanes(block + tile * width + lane) : Lanes{}; };
        Lanes squares{};
        for (int64_t tile = 0; tile < count; tile++) squares = FusedMultiplyAdd(at(tile), at(tile), squares);
        const Lanes factor = FactorOf(squares, scale + lane);
        for (int64_t n = 0; n < DepthOf(count); n++) {
          Lanes neighbours[M::kNeighbours];
          for (int64_t i = 0; i < M::kNeighbours; i++) neighbours[i] = at(n * M::kNeighbours + i) * factor;
          M::StoreRight(neighbours, side + n * width + lane);
        }
      }
    return side;
  }

  void TransformBack(float* dw) const {
    threads_.For(size_ / kLanes, 50 * splits_, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin * kLanes; item < end * kLanes; item += kLanes) {
        const auto sum_at = [&](int64_t i, int64_t j) {
          Lanes sum{};
          for (int64_t split = 0; split < splits_; split++) sum += LoadLanes(sums_.get() + (split * kPlaces + i * kSide + j) * size_ + item);
          return sum;
        };
        TransformBoth<Algorithm::FilterGradient, kSide, kFilter>(
            sum_at, [&](int64_t i, int64_t j, Lanes value) { StoreLanes(value, dw + (i * kFilter + j) * size_ + item); });
      }
    });
  }

  // Within a split, among the threads that no split keeps busy.
  void InSplit(int64_t items, int64_t cost, const Threads::Work& work) const {
    if (splits_ == 1) threads_.For(items, cost, work);
    else work(0, items);
  }

  const Threads& threads_;
  const T* const x_;
  const T* const dy_;
  const Tiles tiles_y_, tiles_x_;
  const int64_t inputs_, outputs_, size_, columns_, of_split_, splits_, together_, room_;
  const Layout layout_x_, layout_y_;
  const std::vector<T> zeros_;
  const Buffer<float> sums_;
};

}  // namespace
}  // namespace cascade
