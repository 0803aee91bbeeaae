// The arithmetic, compiled once for each level of instruction sets into a library of its own, which gives out one function.
// A library a level, and not one file with four objects: what the standard library's templates become under a level's flags
// must never be shared with code for a lesser processor.

#include "average-pool.h"
#include "convolution.h"
#include "max-pool.h"
#include "merge.h"
#include "normalize.h"
#include "packed-convolution.h"
#include "sgd.h"

namespace cascade {
namespace {

template <typename T>
const T* As(const void* values) { return static_cast<const T*>(values); }
template <typename T>
T* As(void* values) { return static_cast<T*>(values); }

class ArithmeticOfLevel final : public Arithmetic {
 public:
  void Convolve(const Threads& threads, Dtype dtype, Accumulation accumulation, const ConvolutionShape& s, const Epilogue& epilogue,
                const void* x, const float* filter, void* y) const override {
    ForDtype(dtype, [&](auto stored) {
      using T = decltype(stored);
      WithAlgorithm(s, accumulation, [&](auto algorithm) { algorithm.Convolve(threads, s, epilogue, As<T>(x), filter, As<T>(y)); });
    });
  }

  std::unique_ptr<PackedFilter> Pack(const Threads& threads, const ConvolutionShape& s, const Packing& packing, const float* filter) const override {
    return cascade::Pack(threads, s, packing, filter);
  }

  void ConvolveInputGradient(const Threads& threads, Dtype dtype, Accumulation accumulation, const ConvolutionShape& s, const void* dy,
                             const float* filter, void* dx) const override {
    ForDtype(dtype, [&](auto stored) {
      using T = decltype(stored);
      WithAlgorithm(s, accumulation, [&](auto algorithm) { algorithm.InputGradient(threads, s, As<T>(dy), filter, As<T>(dx)); });
    });
  }

  void ConvolveFilterGradient(const Threads& threads, Dtype dtype, Accumulation accumulation, const ConvolutionShape& s, const void* x,
                              const void* dy, float* dw) const override {
    ForDtype(dtype, [&](auto stored) {
      using T = decltype(stored);
      WithAlgorithm(s, accumulation, [&](auto algorithm) { algorithm.FilterGradient(threads, s, As<T>(x), As<T>(dy), dw); });
    });
  }

  void Normalize(const Threads& threads, Dtype dtype, const NormShape& shape, const void* x, const float* scale, const float* offset,
                 void* y, float* mean, float* variance) const override {
    ForDtype(dtype, [&](auto stored) {
      using T = decltype(stored);
      cascade::Normalize(threads, shape, As<T>(x), scale, offset, As<T>(y), mean, variance);
    });
  }

  void NormalizeGradient(const Threads& threads, Dtype dtype, const NormShape& shape, const void* dy, const void* x, const float* scale,
                         const float* offset, const float* mean, const float* variance, void* dx, float* dscale,
                         float* doffset) const override {
    ForDtype(dtype, [&](auto stored) {
      using T = decltype(stored);
      cascade::NormalizeGradient(threads, shape, As<T>(dy), As<T>(x), scale, offset, mean, variance, As<T>(dx), dscale, doffset);
    });
  }

  void UpdateStatistics(const RunningUpdate& update, const float* mean, const float* variance, const float* batch_mean,
                        const float* batch_variance, float* next_mean, float* next_variance) const override {
    cascade::UpdateStatistics(update, mean, variance, batch_mean, batch_variance, next_mean, next_variance);
  }

  void ScaleAndShift(const Threads& threads, Dtype dtype, const NormShape& shape, const void* x, const float* gain, const float* bias,
                     void* y) const override {
    ForDtype(dtype, [&](auto stored) {
      using T = decltype(stored);
      cascade::ScaleAndShift(threads, shape, As<T>(x), gain, bias, As<T>(y));
    });
  }

  void Merge(const Threads& threads, Dtype dtype, const MergePlan& plan, int64_t size, const void* residual, const void* shortcut,
             void* y) const override {
    ForDtype(dtype, [&](auto stored) {
      using T = decltype(stored);
      cascade::Merge(threads, plan, size, As<T>(residual), As<T>(shortcut), As<T>(y));
    });
  }

  void Meet(const Threads& threads, const MergeStep& step, float* y) const override { cascade::Meet(threads, step, y); }

  void MergeGradient(const Threads& threads, Dtype dtype, const MergePlan& plan, int64_t size, const void* dy, const void* y,
                     void* dresidual, void* dshortcut) const override {
    ForDtype(dtype, [&](auto stored) {
      using T = decltype(stored);
      cascade::MergeGradient(threads, plan, size, As<T>(dy), As<T>(y), As<T>(dresidual), As<T>(dshortcut));
    });
  }

  void MaxPool(const Threads& threads, Dtype dtype, const PoolShape& s, const void* x, void* y) const override {
    ForDtype(dtype, [&](auto stored) {
      using T = decltype(stored);
      cascade::MaxPool(threads, s, As<T>(x), As<T>(y));
    });
  }

  void MaxPoolGradient(const Threads& threads, Dtype dtype, const PoolShape& s, const void* dy, const void* x, const void* y,
                       void* dx) const override {
    ForDtype(dtype, [&](auto stored) {
      using T = decltype(stored);
      cascade::MaxPoolGradient(threads, s, As<T>(dy), As<T>(x), As<T>(y), As<T>(dx));
    });
  }

  void AveragePool(const Threads& threads, const PoolShape& s, const float* x, float* y) const override {
    cascade::AveragePool(threads, s, x, y);
  }
  void MixedPool(const Threads& threads, const PoolShape& s, int64_t window, float alpha, const float* x, float* y) const override {
    cascade::MixedPool(threads, s, window, alpha, x, y);
  }
  void GlobalAveragePool(const Threads& threads, const PoolShape& s, const float* x, float* y) const override {
    cascade::GlobalAveragePool(threads, s, x, y);
  }

  void Sgd(const Threads& threads, int64_t count, const SgdSettings& settings, const float* weight, const float* velocity,
           const float* gradient, float* next_weight, float* next_velocity) const override {
    cascade::Sgd(threads, count, settings, weight, velocity, gradient, next_weight, next_velocity);
  }
};

}  // namespace
}  // namespace cascade

// Null for a caller that was compiled against another interface (arithmetic.h), as a set-up that broke off may leave it.
extern "C" __attribute__((visibility("default"))) const cascade::Arithmetic* CascadeArithmetic(const char* interface) {
  static const cascade::ArithmeticOfLevel arithmetic;
  return std::strcmp(interface, CASCADE_INTERFACE) == 0 ? &arithmetic : nullptr;
}
