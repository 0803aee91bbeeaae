// The gradient by the filter of a 3x3 convolution, in the ways of winograd.h: the parts of the map and of the gradient from
// above are transformed, multiplied place by place and summed over all parts, and the sums transformed back.
//
// Few sums are kept several times over, so that the threads work on parts of their own, each in its cache; with many the
// threads share out the places instead. How many depends on the shape alone.

#pragma once

#include "parts.h"
#include "products.h"

namespace cascade {
namespace {

constexpr int64_t kManySums = 64 * 128;  // pairs of channels above which sums are many
constexpr int64_t kShares = 8;           // of the parts, with sums of their own, where they are few

// Parts that are worked on together: enough that fetching their sums is worth while.
inline int64_t PartsOfGradient(int64_t inputs, int64_t outputs) { return std::max<int64_t>(128, inputs * outputs / 256); }

// Not filled, as std::vector would.
using Buffer = std::unique_ptr<float[]>;
inline Buffer MakeBuffer(int64_t size) { return Buffer(new float[size]); }

// A block [count, width] of parts as a side of products that run along the parts, made in place; where U has scales, with
// those of the block's columns.
template <typename U>
const U* LayAlongParts(float* block, int64_t count, int64_t width, float* scale) {
#ifdef __AVX512VNNI__
  if constexpr (Products<U>::kScaled)
    for (int64_t lane = 0; lane < width; lane += kLanes) {
      const auto at = [&](int64_t part) { return part < count ? LoadLanes(block + part * width + lane) : Lanes{}; };
      Lanes squares{};
      for (int64_t part = 0; part < count; part++) squares += at(part) * at(part);
      const Lanes factor = FactorOf(squares, scale + lane);
      for (int64_t pair = 0; 2 * pair < count; pair++) {
        const Lanes both = Products<U>::Beside({at(2 * pair) * factor, at(2 * pair + 1) * factor});
        StoreLanes(both, block + pair * width + lane);
      }
    }
#endif
  return reinterpret_cast<const U*>(block);
}

// dw [3, 3, C, C'] from x [N, H, W, C] and dy [N, H', W', C'], stored as T, by products of U.
template <typename Way, typename T, typename U>
class FilterGradientByParts {
 public:
  FilterGradientByParts(OpKernelContext* context, const Tensor& x, const Tensor& dy)
      : context_(context), x_(x.flat<T>().data()), dy_(dy.flat<T>().data()),
        parts_y_(OutputParts<Way>(Maps(dy))), parts_x_(InputParts<Way>(Maps(x), parts_y_)),
        inputs_(x.dim_size(3)), outputs_(dy.dim_size(3)), size_(inputs_ * outputs_), columns_(TileColumns(outputs_)),
        of_share_(Quotient(parts_y_.count, size_ <= kManySums ? kShares : 1)), shares_(Quotient(parts_y_.count, of_share_)),
        together_(std::min(PartsOfGradient(inputs_, outputs_), of_share_)),
        layout_x_{PlaceStride(together_ * inputs_), kLanes, together_ * kLanes},
        layout_y_{PlaceStride(together_ * outputs_), columns_, together_ * columns_},
        nothing_(std::max(inputs_, outputs_), Stored<T>(0.0f)), sums_(MakeBuffer(shares_ * kPlaces * size_)) {}

  void Compute(float* dw) const {
    ParallelFor(context_, shares_, of_share_ * kPlaces * size_ / 16, [&](int64_t begin, int64_t end) {
      const Buffer v = MakeBuffer(kPlaces * layout_x_.place), above = MakeBuffer(kPlaces * layout_y_.place);
      for (int64_t share = begin; share < end; share++) SumShare(share, v.get(), above.get());
    });
    TransformBack(dw);
  }

 private:
  static constexpr int64_t kSide = Way::kPlaces, kPlaces = PlacesOf<Way>();

  void SumShare(int64_t share, float* v, float* above) const {
    float* du = &sums_[share * kPlaces * size_];
    const int64_t start = share * of_share_, stop = std::min(start + of_share_, parts_y_.count);
    for (int64_t first = start; first < stop; first += together_) {
      const int64_t count = std::min(together_, stop - first);
      ShareOut(count, 10 * (inputs_ + outputs_), [&](int64_t begin, int64_t end) {
        TransformParts<Way::Input, Way::kInput, kSide>(x_, nothing_.data(), parts_x_, inputs_, first + begin, first + end,
                                                       v + begin * layout_x_.block, layout_x_);
        TransformParts<Way::OutputGradient, Way::kOutput, kSide>(dy_, nothing_.data(), parts_y_, outputs_, first + begin, first + end,
                                                                 above + begin * layout_y_.block, layout_y_);
      });
      ShareOut(kPlaces, count * size_ / 16, [&](int64_t begin, int64_t end) {
        for (int64_t place = begin; place < end; place++)
          SumPlace(first > start, count, v + place * layout_x_.place, above + place * layout_y_.place, du + place * size_);
      });
    }
  }

  // du [C, C'] = sum over the parts of v [C / lanes, parts, lanes] above [C' / columns, parts, columns], or added to it.
  void SumPlace(bool accumulate, int64_t count, float* v, float* above, float* du) const {
    std::vector<float> scale_x(inputs_), scale_y(outputs_);
    for (int64_t c = 0; c < inputs_; c += kLanes) LayAlongParts<U>(v + c / kLanes * layout_x_.blocks, count, kLanes, &scale_x[c]);
    for (int64_t k = 0; k < outputs_; k += columns_) {
      const U* right = LayAlongParts<U>(above + k / columns_ * layout_y_.blocks, count, columns_, &scale_y[k]);
      for (int64_t c = 0; c < inputs_; c += kTileRows) {
        const U* left = reinterpret_cast<const U*>(v + c / kLanes * layout_x_.blocks + c % kLanes);
        Multiply<U>(accumulate, columns_, {left, 1, kLanes, &scale_x[c]}, {right, 1, columns_, &scale_y[k]},
                    Quotient(count, Products<U>::kNeighbours), du + c * outputs_ + k, outputs_);
      }
    }
  }

  void TransformBack(float* dw) const {
    ParallelFor(context_, size_ / kLanes, 50 * shares_, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin * kLanes; item < end * kLanes; item += kLanes) {
        const auto sum_at = [&](int64_t i, int64_t j) {
          Lanes sum{};
          for (int64_t share = 0; share < shares_; share++) sum += LoadLanes(&sums_[(share * kPlaces + i * kSide + j) * size_ + item]);
          return sum;
        };
        TransformBoth<Way::FilterGradient, kSide, kFilter>(
            sum_at, [&](int64_t i, int64_t j, Lanes value) { StoreLanes(value, dw + (i * kFilter + j) * size_ + item); });
      }
    });
  }

  // Within a share, among the threads that no share keeps busy.
  template <typename Work>
  void ShareOut(int64_t items, int64_t cost, const Work& work) const {
    if (shares_ == 1) ParallelFor(context_, items, cost, work);
    else work(0, items);
  }

  OpKernelContext* const context_;
  const T* const x_;
  const T* const dy_;
  const Parts parts_y_, parts_x_;
  const int64_t inputs_, outputs_, size_, columns_, of_share_, shares_, together_;
  const Layout layout_x_, layout_y_;
  const std::vector<T> nothing_;
  const Buffer sums_;
};

template <typename Way, typename T, typename U>
class FilterGradientByPartsOp : public OpKernel {
 public:
  explicit FilterGradientByPartsOp(OpKernelConstruction* c) : OpKernel(c) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    const Tensor& dy = context->input(1);
    Tensor* dw = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({kFilter, kFilter, x.dim_size(3), dy.dim_size(3)}), &dw));
    FilterGradientByParts<Way, T, U>(context, x, dy).Compute(dw->flat<float>().data());
  }
};

#define REGISTER_FILTER_GRADIENT(name, Way)                       \
  REGISTER_OP(name)                                               \
      .Attr("T: {float, bfloat16}").Attr("U: {float, int32}")     \
      .Input("x: T").Input("dy: T").Output("dw: float");          \
  REGISTER_BY_PARTS(name, FilterGradientByPartsOp, Way)

REGISTER_FILTER_GRADIENT("CascadePiecesFilterGradient", Pieces);
REGISTER_FILTER_GRADIENT("CascadeWholeMapFilterGradient", WholeMap);
REGISTER_FILTER_GRADIENT("CascadeStridedFilterGradient", Strided);

}  // namespace
}  // namespace cascade
