// Which algorithm a convolution takes, and with it both its gradients: one table.

#pragma once

#include "direct-convolution.h"
#include "float64-convolution.h"
#include "winograd-convolution.h"
#include "winograd-filter-gradient.h"

namespace cascade {
namespace {

// Rows from which on transforming a filter anew for each call pays.
constexpr int64_t kRowsForTransform = 32;

enum class ConvolutionAlgorithm { kFloat64, kWinograd4x4, kWholeMap2x2, kStrideTwo, kDirect };

inline ConvolutionAlgorithm AlgorithmFor(const ConvolutionShape& s, Accumulation accumulation) {
  using A = ConvolutionAlgorithm;
  if (accumulation == Accumulation::kFloat64Sums) return A::kFloat64;
  const bool transforms = s.size == kFilter && s.batch >= kRowsForTransform && s.inputs % kChannelGroup == 0 && s.outputs % kChannelGroup == 0;
  if (!transforms) return A::kDirect;
  const bool whole_tiles = s.height % 4 == 0 && s.width % 4 == 0;
  if (s.stride == 2 && whole_tiles) return A::kStrideTwo;
  if (s.stride == 1 && whole_tiles) return A::kWinograd4x4;
  if (s.stride == 1 && s.height == 2 && s.width == 2) return A::kWholeMap2x2;
  return A::kDirect;
}

template <typename T>
void Convolve(const Threads& threads, Accumulation accumulation, const ConvolutionShape& s, const Epilogue& epilogue, const T* x,
              const float* filter, T* y) {
  const Maps maps{s.batch, s.height, s.width};
  switch (AlgorithmFor(s, accumulation)) {
    case ConvolutionAlgorithm::kFloat64:
      if constexpr (std::is_same_v<T, float>) Float64Convolve(threads, s, epilogue, x, filter, y);
      break;
    case ConvolutionAlgorithm::kWinograd4x4:
      WinogradConvolve<Winograd4x4>(threads, maps, x, filter, s.inputs, s.outputs, false, epilogue, y);
      break;
    case ConvolutionAlgorithm::kWholeMap2x2:
      WinogradConvolve<WholeMap2x2>(threads, maps, x, filter, s.inputs, s.outputs, false, epilogue, y);
      break;
    case ConvolutionAlgorithm::kStrideTwo:
      WinogradConvolve<StrideTwo>(threads, maps, x, filter, s.inputs, s.outputs, false, epilogue, y);
      break;
    case ConvolutionAlgorithm::kDirect:
      DirectConvolve(threads, s, x, filter, epilogue, y);
      break;
  }
}

template <typename T>
void ConvolveInputGradient(const Threads& threads, Accumulation accumulation, const ConvolutionShape& s, const T* dy, const float* filter, T* dx) {
  const Maps maps{s.batch, s.OutHeight(), s.OutWidth()};
  switch (AlgorithmFor(s, accumulation)) {
    case ConvolutionAlgorithm::kFloat64:
      if constexpr (std::is_same_v<T, float>) Float64InputGradient(threads, s, dy, filter, dx);
      break;
    case ConvolutionAlgorithm::kWinograd4x4:
      WinogradConvolve<Winograd4x4>(threads, maps, dy, filter, s.inputs, s.outputs, true, Epilogue{}, dx);
      break;
    case ConvolutionAlgorithm::kWholeMap2x2:
      WinogradConvolve<WholeMap2x2>(threads, maps, dy, filter, s.inputs, s.outputs, true, Epilogue{}, dx);
      break;
    case ConvolutionAlgorithm::kStrideTwo:
      WinogradConvolve<StrideTwoBack>(threads, maps, dy, filter, s.inputs, s.outputs, true, Epilogue{}, dx);
      break;
    case ConvolutionAlgorithm::kDirect:
      DirectInputGradient(threads, s, dy, filter, dx);
      break;
  }
}

template <typename T>
void ConvolveFilterGradient(const Threads& threads, Accumulation accumulation, const ConvolutionShape& s, const T* x, const T* dy, float* dw) {
  switch (AlgorithmFor(s, accumulation)) {
    case ConvolutionAlgorithm::kFloat64:
      if constexpr (std::is_same_v<T, float>) Float64FilterGradient(threads, s, x, dy, dw);
      break;
    case ConvolutionAlgorithm::kWinograd4x4:
      WinogradFilterGradient<Winograd4x4, T>(threads, s, x, dy).Compute(dw);
      break;
    case ConvolutionAlgorithm::kWholeMap2x2:
      WinogradFilterGradient<WholeMap2x2, T>(threads, s, x, dy).Compute(dw);
      break;
    case ConvolutionAlgorithm::kStrideTwo:
      WinogradFilterGradient<StrideTwo, T>(threads, s, x, dy).Compute(dw);
      break;
    case ConvolutionAlgorithm::kDirect:
      DirectFilterGradient<T>(threads, s, x, dy).Compute(dw);
      break;
  }
}

}  // namespace
}  // namespace cascade
