// What the project's own TensorFlow operations share. lib/nn/ops.ts calls them and holds the same functions composed of
// TensorFlow's own operations; the tests hold the two together.
//
// Values are NHWC with time folded into the first axis: [N, H, W, C]. `rows` lists how many of the N rows belong to
// each distinct step, in order. Every sum is taken over blocks of fixed size and in fixed order, so that results do
// not depend on the number of threads. Activations are stored as float or as bfloat16 (T); arithmetic is wider.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>
#include <vector>

#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/lib/core/threadpool.h"

namespace cascade {

using tensorflow::bfloat16;
using tensorflow::DEVICE_CPU;
using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::TensorShape;

// A stored value as a float, and back: bfloat16 is the upper half of a float, rounded to nearest, ties to even.
inline float Load(float value) { return value; }

inline float Load(bfloat16 value) {
  uint16_t upper;
  std::memcpy(&upper, &value, sizeof(upper));
  const uint32_t bits = static_cast<uint32_t>(upper) << 16;
  float result;
  std::memcpy(&result, &bits, sizeof(result));
  return result;
}

template <typename T>
inline T Stored(float value) {
  if constexpr (std::is_same_v<T, float>) {
    return value;
  } else {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    const uint16_t upper = static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
    T result;
    std::memcpy(&result, &upper, sizeof(result));
    return result;
  }
}

// As many floats as the processor works on at once, and values loaded and stored as such.
#ifdef __AVX512F__
constexpr int64_t kLanes = 16;
#else
constexpr int64_t kLanes = 8;
#endif
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float))));
typedef uint32_t LaneBits __attribute__((vector_size(kLanes * sizeof(uint32_t))));
typedef uint16_t HalfLanes __attribute__((vector_size(kLanes * sizeof(uint16_t))));

inline Lanes LoadLanes(const float* from) {
  Lanes lanes;
  std::memcpy(&lanes, from, sizeof(lanes));
  return lanes;
}

inline Lanes LoadLanes(const bfloat16* from) {
  HalfLanes halves;
  std::memcpy(&halves, from, sizeof(halves));
  return (Lanes)(__builtin_convertvector(halves, LaneBits) << 16);
}

// The upper halves are the values rounded to bfloat16.
inline LaneBits Rounded(Lanes lanes) {
  const LaneBits bits = (LaneBits)lanes;
  return bits + 0x7fff + ((bits >> 16) & 1);
}

inline void StoreLanes(Lanes lanes, float* to) { std::memcpy(to, &lanes, sizeof(lanes)); }

inline void StoreLanes(Lanes lanes, bfloat16* to) {
  const HalfLanes halves = __builtin_convertvector(Rounded(lanes) >> 16, HalfLanes);
  std::memcpy(to, &halves, sizeof(halves));
}

// Rounded up.
inline int64_t Quotient(int64_t value, int64_t by) { return (value + by - 1) / by; }
inline int64_t RoundUp(int64_t value, int64_t to) { return Quotient(value, to) * to; }

// What a block of stored values is summed in: bfloat16 rounds far above float's own error.
template <typename T>
using Wide = std::conditional_t<std::is_same_v<T, float>, double, float>;

inline std::vector<int64_t> IntegerList(OpKernelConstruction* construction, const char* name) {
  std::vector<int64_t> values;
  const auto status = construction->GetAttr(name, &values);
  if (!status.ok()) construction->CtxFailure(status);
  return values;
}

template <typename Value>
Value Attribute(OpKernelConstruction* construction, const char* name) {
  Value value{};
  const auto status = construction->GetAttr(name, &value);
  if (!status.ok()) construction->CtxFailure(status);
  return value;
}

inline std::vector<int64_t> FirstRows(const std::vector<int64_t>& rows) {
  std::vector<int64_t> first(rows.size() + 1, 0);
  for (size_t d = 0; d < rows.size(); d++) first[d + 1] = first[d] + rows[d];
  return first;
}

inline bool ShapesAgree(OpKernelContext* context, const std::vector<int64_t>& rows, const Tensor& x) {
  int64_t total = 0;
  for (const int64_t count : rows) total += count;
  if (x.dims() == 4 && x.dim_size(0) == total) return true;
  context->CtxFailure(tensorflow::errors::InvalidArgument("the rows of the distinct steps add up to ", total, ", the input is ", x.shape().DebugString()));
  return false;
}

template <typename Work>
void ParallelFor(OpKernelContext* context, int64_t items, int64_t cost_per_item, const Work& work) {
  auto* pool = context->device()->tensorflow_cpu_worker_threads()->workers;
  pool->ParallelFor(items, std::max<int64_t>(cost_per_item, 1), work);
}

// Registers a kernel for values stored as float and as bfloat16.
#define REGISTER_FOR_STORED_TYPES(name, Op)                                                              \
  REGISTER_KERNEL_BUILDER(Name(name).Device(DEVICE_CPU).TypeConstraint<float>("T"), Op<float>);          \
  REGISTER_KERNEL_BUILDER(Name(name).Device(DEVICE_CPU).TypeConstraint<bfloat16>("T"), Op<bfloat16>)

}  // namespace cascade
