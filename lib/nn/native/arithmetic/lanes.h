// Stored values, and as many floats as the processor works on at once.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>
#include <vector>

#include "arithmetic.h"

#ifdef __SSE2__
#include <immintrin.h>
#endif

namespace cascade {
namespace {

// The upper half of a float, rounded to nearest, ties to even.
struct BFloat16 {
  uint16_t bits;
};

inline float Load(float value) { return value; }

inline float Load(BFloat16 value) {
  const uint32_t bits = static_cast<uint32_t>(value.bits) << 16;
  float result;
  std::memcpy(&result, &bits, sizeof(result));
  return result;
}

template <typename T>
inline T Cast(float value) {
  if constexpr (std::is_same_v<T, float>) {
    return value;
  } else {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    return BFloat16{static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16)};
  }
}

// work(T{}) for the type that values are stored as.
template <typename Work>
inline void ForDtype(Dtype dtype, const Work& work) {
  if (dtype == Dtype::kFloat32) work(float{});
  else work(BFloat16{});
}

#ifdef __AVX512F__
constexpr int64_t kLanes = 16;
#else
constexpr int64_t kLanes = 8;
#endif
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float))));
typedef int32_t LaneIntegers __attribute__((vector_size(kLanes * sizeof(int32_t))));
typedef uint32_t LaneBits __attribute__((vector_size(kLanes * sizeof(uint32_t))));
typedef uint16_t HalfLanes __attribute__((vector_size(kLanes * sizeof(uint16_t))));

inline Lanes LoadLanes(const float* from) {
  Lanes lanes;
  std::memcpy(&lanes, from, sizeof(lanes));
  return lanes;
}

inline Lanes LoadLanes(const BFloat16* from) {
  HalfLanes halves;
  std::memcpy(&halves, from, sizeof(halves));
  return (Lanes)(__builtin_convertvector(halves, LaneBits) << 16);
}

inline void StoreLanes(Lanes lanes, float* to) { std::memcpy(to, &lanes, sizeof(lanes)); }

inline void StoreLanes(Lanes lanes, BFloat16* to) {
  const LaneBits bits = (LaneBits)lanes;
  const HalfLanes halves = __builtin_convertvector((bits + 0x7fff + ((bits >> 16) & 1)) >> 16, HalfLanes);
  std::memcpy(to, &halves, sizeof(halves));
}

inline Lanes Broadcast(float value) {
#if defined(__AVX512F__)
  return (Lanes)_mm512_set1_ps(value);
#elif defined(__AVX__)
  return (Lanes)_mm256_set1_ps(value);
#else
  return Lanes{value, value, value, value, value, value, value, value};
#endif
}

// a b + c, rounded once where the processor can, and then alike on every processor. The compiler fuses nothing by itself
// (-ffp-contract=off), since it would do so differently from level to level.
inline float FusedMultiplyAdd(float a, float b, float c) {
#ifdef __FMA__
  return __builtin_fmaf(a, b, c);
#else
  return a * b + c;
#endif
}

inline double FusedMultiplyAdd(double a, double b, double c) {
#ifdef __FMA__
  return __builtin_fma(a, b, c);
#else
  return a * b + c;
#endif
}

inline Lanes FusedMultiplyAdd(Lanes a, Lanes b, Lanes c) {
#if defined(__AVX512F__)
  return (Lanes)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__FMA__)
  return (Lanes)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
  return a * b + c;
#endif
}

inline Lanes FusedMultiplyAdd(float a, Lanes b, Lanes c) { return FusedMultiplyAdd(Broadcast(a), b, c); }

// Rounded up.
inline int64_t CeilDiv(int64_t value, int64_t by) { return (value + by - 1) / by; }
inline int64_t RoundUp(int64_t value, int64_t to) { return CeilDiv(value, to) * to; }

// What a block of stored values is summed in: bfloat16 rounds far above float's own error.
template <typename T>
using Wide = std::conditional_t<std::is_same_v<T, float>, double, float>;

// The first row of each distinct step, and one past the last.
inline std::vector<int64_t> FirstRows(const std::vector<int64_t>& rows) {
  std::vector<int64_t> first(rows.size() + 1, 0);
  for (size_t d = 0; d < rows.size(); d++) first[d + 1] = first[d] + rows[d];
  return first;
}

// Memory that is not filled, as std::vector's would be, and begins at a cache line.
template <typename Value>
class Buffer {
 public:
  explicit Buffer(int64_t size) : values_(static_cast<Value*>(std::aligned_alloc(64, RoundUp(size * sizeof(Value) + 64, 64)))) {
    if (values_ == nullptr) throw std::bad_alloc();
  }
  ~Buffer() { std::free(values_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  Value* get() const { return values_; }

 private:
  Value* const values_;
};

}  // namespace
}  // namespace cascade
