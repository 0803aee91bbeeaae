// Convolutions whose filter is laid out once: the algorithm is chosen by the maps' size alone, since transforming the filter
// costs nothing any more. Products are taken of floats, or of 16-bit integers (micro-kernel.h), which take half the time and
// half of what is read.

#pragma once

#include "direct-convolution.h"
#include "winograd-convolution.h"

namespace cascade {
namespace {

template <typename Algorithm, typename U>
class WinogradFilter final : public PackedFilter {
 public:
  WinogradFilter(const Threads& threads, const ConvolutionShape& s, const float* filter)
      : shape_(s), filter_(threads, filter, s.inputs, s.outputs, false) {}

  void Convolve(const Threads& threads, int64_t batch, const Epilogue& epilogue, const float* x, float* y) const override {
    WinogradConvolution<Algorithm, float, U>(threads, Maps{batch, shape_.height, shape_.width}, x, filter_, epilogue, y);
  }

 private:
  const ConvolutionShape shape_;
  const TransformedFilter<Algorithm, U> filter_;
};

template <typename U>
class DirectFilter final : public PackedFilter {
 public:
  DirectFilter(const ConvolutionShape& s, const float* filter) : shape_(s), right_(PackedRightSide<U>(ForwardGrid(s).Depth(s.inputs), s.outputs, filter)) {}

  void Convolve(const Threads& threads, int64_t batch, const Epilogue& epilogue, const float* x, float* y) const override {
    const MapShape shape{batch, shape_.height, shape_.width, shape_.inputs}, shape_y{batch, shape_.OutHeight(), shape_.OutWidth(), shape_.outputs};
    DirectConvolution<float, U>(threads, ForwardGrid(shape_), x, shape, right_, epilogue, y, shape_y);
  }

 private:
  const ConvolutionShape shape_;
  const RightSide<U> right_;
};

// Pairs of channels above which four times the filter is more to read than products are saved, of one image and of several.
constexpr int64_t kPairsForTransform[] = {128 * 128, 256 * 256};

template <typename U>
std::unique_ptr<PackedFilter> PackAs(const Threads& threads, const ConvolutionShape& s, bool several, const float* filter) {
  const bool transforms = CanTransform(s) && s.stride == 1;
  if (transforms && s.height == 2 && s.width == 2) return std::make_unique<WinogradFilter<WholeMap2x2, U>>(threads, s, filter);
  if (transforms && s.height % 4 == 0 && s.width % 4 == 0 && s.inputs * s.outputs <= kPairsForTransform[several])
    return std::make_unique<WinogradFilter<Winograd4x4, U>>(threads, s, filter);
  return std::make_unique<DirectFilter<U>>(s, filter);
}

inline std::unique_ptr<PackedFilter> Pack(const Threads& threads, const ConvolutionShape& s, const Packing& packing, const float* filter) {
  const bool pairs = s.inputs % kChannelGroup == 0 && s.outputs % kChannelGroup == 0;
  return packing.integers && pairs ? PackAs<int32_t>(threads, s, packing.several, filter) : PackAs<float>(threads, s, packing.several, filter);
}

}  // namespace
}  // namespace cascade
