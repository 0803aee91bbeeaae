// The algorithms of convolution, and which one a convolution takes, and with it both its gradients.
//
// An algorithm is one unit, for values stored as T:
//   Convolve        y [N, H', W', C'] from x [N, H, W, C] and filter [k, k, C, C'], then the epilogue
//   InputGradient   dx from dy and filter
//   FilterGradient  dw from x and dy

#pragma once

#include "direct-convolution.h"
#include "float64-convolution.h"
#include "winograd-convolution.h"
#include "winograd-filter-gradient.h"

namespace cascade {
namespace {

// Tiles are transformed as `Forward` and, on the way back to the input, as `Back` says (winograd.h).
template <typename Forward, typename Back = Forward>
struct Winograd {
  template <typename T>
  static void Convolve(const Threads& threads, const ConvolutionShape& s, const Epilogue& epilogue, const T* x, const float* filter, T* y) {
    WinogradConvolve<Forward>(threads, {s.batch, s.height, s.width}, x, filter, s.inputs, s.outputs, false, epilogue, y);
  }
  template <typename T>
  static void InputGradient(const Threads& threads, const ConvolutionShape& s, const T* dy, const float* filter, T* dx) {
    WinogradConvolve<Back>(threads, {s.batch, s.OutHeight(), s.OutWidth()}, dy, filter, s.inputs, s.outputs, true, Epilogue{}, dx);
  }
  template <typename T>
  static void FilterGradient(const Threads& threads, const ConvolutionShape& s, const T* x, const T* dy, float* dw) {
    WinogradFilterGradient<Forward, T>(threads, s, x, dy).Compute(dw);
  }
};

// Rows from which on transforming a filter anew for each call pays.
constexpr int64_t kRowsForTransform = 32;

// work(algorithm) with the one that suits the shape.
template <typename Work>
void WithAlgorithm(const ConvolutionShape& s, Accumulation accumulation, const Work& work) {
  if (accumulation == Accumulation::kFloat64Sums) return work(Float64{});
  const bool transforms = CanTransform(s) && s.batch >= kRowsForTransform;
  const bool whole_tiles = s.height % 4 == 0 && s.width % 4 == 0;
  if (transforms && s.stride == 2 && whole_tiles) return work(Winograd<StrideTwo, StrideTwoBack>{});
  if (transforms && s.stride == 1 && whole_tiles) return work(Winograd<Winograd4x4>{});
  if (transforms && s.stride == 1 && s.height == 2 && s.width == 2) return work(Winograd<WholeMap2x2>{});
  return work(Direct{});
}

}  // namespace
}  // namespace cascade
