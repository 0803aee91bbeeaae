// Convolutions whose filter is laid out once: the algorithm is chosen by the maps' size alone, since transforming the filter
// costs nothing any more.

#pragma once

#include "direct-convolution.h"
#include "winograd-convolution.h"

namespace cascade {
namespace {

template <typename Algorithm, typename W>
class WinogradFilter final : public PackedFilter {
 public:
  WinogradFilter(const Threads& threads, const ConvolutionShape& s, const float* filter)
      : shape_(s), filter_(threads, filter, s.inputs, s.outputs, false) {}

  void Convolve(const Threads& threads, int64_t batch, const Epilogue& epilogue, const float* x, float* y) const override {
    WinogradConvolution<Algorithm, float, W>(threads, Maps{batch, shape_.height, shape_.width}, x, filter_, epilogue, y);
  }

 private:
  const ConvolutionShape shape_;
  const TransformedFilter<Algorithm, float, W> filter_;
};

template <typename W>
class DirectFilter final : public PackedFilter {
 public:
  DirectFilter(const ConvolutionShape& s, const float* filter)
      : shape_(s), grid_(ForwardGrid(s)), right_(PackedRightSide<W>(grid_.Depth(s.inputs), s.outputs, filter)) {}

  void Convolve(const Threads& threads, int64_t batch, const Epilogue& epilogue, const float* x, float* y) const override {
    const MapShape shape{batch, shape_.height, shape_.width, shape_.inputs}, shape_y{batch, shape_.OutHeight(), shape_.OutWidth(), shape_.outputs};
    DirectConvolution<float, W>(threads, grid_, x, shape, right_, epilogue, y, shape_y);
  }

 private:
  const ConvolutionShape shape_;
  const WindowGrid grid_;
  const RightSide<W> right_;
};

// Pairs of channels above which four times the filter is more to read than products are saved.
constexpr int64_t kPairsForTransform = 128 * 128;

// A filter of 4x4 pieces is small, and its transform magnifies rounding: it stays float.
template <typename W>
std::unique_ptr<PackedFilter> PackAs(const Threads& threads, const ConvolutionShape& s, const float* filter) {
  const bool transforms = CanTransform(s) && s.stride == 1;
  if (transforms && s.height == 2 && s.width == 2) return std::make_unique<WinogradFilter<WholeMap2x2, W>>(threads, s, filter);
  if (transforms && s.height % 4 == 0 && s.width % 4 == 0 && s.inputs * s.outputs <= kPairsForTransform)
    return std::make_unique<WinogradFilter<Winograd4x4, float>>(threads, s, filter);
  return std::make_unique<DirectFilter<W>>(s, filter);
}

inline std::unique_ptr<PackedFilter> Pack(const Threads& threads, const ConvolutionShape& s, Dtype stored, const float* filter) {
  return stored == Dtype::kBfloat16 ? PackAs<BFloat16>(threads, s, filter) : PackAs<float>(threads, s, filter);
}

}  // namespace
}  // namespace cascade
