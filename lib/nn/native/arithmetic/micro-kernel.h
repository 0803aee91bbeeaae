// Matrix products of micro-tiles that stay in registers: the inner loops of all convolutions.
//
// Products are taken of floats or, in mixed precision, of 16-bit integers with a scale to each row and column: the
// processor multiplies and adds two of these in a lane at once. bfloat16's eight bits do not bear Winograd's transforms,
// which magnify rounding tenfold; sixteen do, and sums of integers are exact. Each sum is taken in the order of its terms.

#pragma once

#include "lanes.h"

namespace cascade {
namespace {

constexpr int64_t kMicroRows = kLanes == 16 ? 8 : 4;

// Rows, or columns, of an operand whose count must suit every level: so many lanes as the widest has.
constexpr int64_t kChannelGroup = 16;

// Products of values laid out as U, which holds as many neighbours along the sum as one lane multiplies at once. A micro-tile
// has so many rows, and columns in so many registers; sums are of a multiple of kDepth of U. StoreRight puts the neighbours
// of a right side's lanes in their place, StoreLeft those of a left side whose rows lie along the sum. Dequantize turns a sum
// into a float, with the scales of its row and column where there are any.
template <typename U>
struct MicroKernel;

template <>
struct MicroKernel<float> {
  using Sum = Lanes;
  static constexpr int64_t kNeighbours = 1, kRows = kMicroRows, kRegisters = 2, kDepth = 1;
  static constexpr bool kScaled = false, kRowsAlongSum = false;
  static void StoreRight(const Lanes (&neighbours)[1], float* to) { StoreLanes(neighbours[0], to); }
  static Lanes Add(Lanes sum, float left, Lanes right) { return FusedMultiplyAdd(left, right, sum); }
  static Lanes Dequantize(Lanes sum, const float*, int64_t, const float*, int64_t) { return sum; }
};

// Rows and columns are scaled to vectors of this length, to which rounding n terms adds at most half the root of n. No
// integer is longer than its vector, nor, after Cauchy and Schwarz, any sum of products than two vectors' lengths
// multiplied: both fit, the sums in 32 bits.
constexpr float kLength = 32600;

// Rounded to nearest, ties to even.
inline LaneIntegers ToNearest(Lanes values) {
#if defined(__AVX512F__)
  return (LaneIntegers)_mm512_cvtps_epi32((__m512)values);
#elif defined(__AVX2__)
  return (LaneIntegers)_mm256_cvtps_epi32((__m256)values);
#else
  LaneIntegers integers;
  for (int64_t lane = 0; lane < kLanes; lane++) integers[lane] = static_cast<int32_t>(std::nearbyintf(values[lane]));
  return integers;
#endif
}

inline Lanes SquareRoot(Lanes values) {
#if defined(__AVX512F__)
  return (Lanes)_mm512_sqrt_ps((__m512)values);
#elif defined(__AVX2__)
  return (Lanes)_mm256_sqrt_ps((__m256)values);
#else
  for (int64_t lane = 0; lane < kLanes; lane++) values[lane] = std::sqrt(values[lane]);
  return values;
#endif
}

template <>
struct MicroKernel<int32_t> {
  using Sum = LaneIntegers;
  static constexpr int64_t kNeighbours = 2, kRows = kMicroRows, kRegisters = 2, kDepth = 1;
  static constexpr bool kScaled = true, kRowsAlongSum = false;

  static void StoreRight(const Lanes (&neighbours)[2], int32_t* to) {
    const LaneBits low = (LaneBits)ToNearest(neighbours[0]), high = (LaneBits)ToNearest(neighbours[1]);
    const LaneBits pairs = (low & 0xffff) | high << 16;
    std::memcpy(to, &pairs, sizeof(pairs));
  }

  // The integers from c on of a row of `count`.
  static void StoreLeft(LaneIntegers integers, int64_t c, int64_t, int32_t* row) {
    typedef int16_t HalfIntegers __attribute__((vector_size(kLanes * sizeof(int16_t))));
    const HalfIntegers halves = __builtin_convertvector(integers, HalfIntegers);
    std::memcpy(row + c / 2, &halves, sizeof(halves));
  }

  // sum + left.low right.low + left.high right.high, in each lane
  static LaneIntegers Add(LaneIntegers sum, int32_t left, Lanes right) {
#if defined(__AVX512VNNI__)
    return (LaneIntegers)_mm512_dpwssd_epi32((__m512i)sum, _mm512_set1_epi32(left), (__m512i)right);
#elif defined(__AVX512BW__)
    return sum + (LaneIntegers)_mm512_madd_epi16(_mm512_set1_epi32(left), (__m512i)right);
#elif defined(__AVX2__)
    return sum + (LaneIntegers)_mm256_madd_epi16(_mm256_set1_epi32(left), (__m256i)right);
#else
    const LaneIntegers pairs = (LaneIntegers)right;
    return sum + static_cast<int16_t>(left) * (pairs << 16 >> 16) + (left >> 16) * (pairs >> 16);
#endif
  }

  static Lanes Dequantize(LaneIntegers sum, const float* rows, int64_t row, const float* columns, int64_t column) {
    return __builtin_convertvector(sum, Lanes) * (rows[row] * LoadLanes(columns + column));
  }
};

// What makes integers of vectors with such squared lengths, and the scale that turns them back.
inline Lanes FactorOf(Lanes squares, float* scale) {
  const Lanes length = SquareRoot(squares);
  StoreLanes(length / kLength, scale);
  return length > 0 ? kLength / length : Lanes{};
}

// values -> a left side's row of integers and their scale. Where the squares of all of them vanish, below 1e-22, so do they.
template <typename U>
inline void ToIntegers(const float* values, int64_t count, U* row, float* scale) {
  constexpr int64_t parts = kChannelGroup / kLanes;
  Lanes squares[parts]{};
  for (int64_t c = 0; c < count; c += kChannelGroup)
    for (int64_t part = 0; part < parts; part++) {
      const Lanes lanes = LoadLanes(values + c + part * kLanes);
      squares[part] = FusedMultiplyAdd(lanes, lanes, squares[part]);
    }
  float sums[kChannelGroup];
  for (int64_t part = 0; part < parts; part++) StoreLanes(squares[part], sums + part * kLanes);
  for (int64_t half = kChannelGroup / 2; half > 0; half /= 2)
    for (int64_t i = 0; i < half; i++) sums[i] += sums[i + half];
  const float length = std::sqrt(sums[0]);
  *scale = length / kLength;
  const float factor = length > 0 ? kLength / length : 0;
  for (int64_t c = 0; c < count; c += kLanes) MicroKernel<U>::StoreLeft(ToNearest(LoadLanes(values + c) * factor), c, count, row);
}

// One side of a matrix product: its rows or columns lie `outer` and the terms of a sum `depth` values apart. Where U has
// scales there is one for each row or column.
template <typename U>
struct Side {
  const U* values;
  int64_t outer, depth;
  const float* scale;
};

// The lanes of a row of products' right sides.
template <typename U>
inline Lanes LoadRight(const U* from) {
  Lanes lanes;
  std::memcpy(&lanes, from, sizeof(lanes));
  return lanes;
}

// work(rows) with the fewest rows, known to the compiler, that hold `count` of a micro-tile's: what stands alone, as one image
// often does, is not multiplied eight times.
template <typename Work>
inline void WithRows(int64_t count, const Work& work) {
  if (count == 1) work(std::integral_constant<int64_t, 1>{});
  else if (count == 2) work(std::integral_constant<int64_t, 2>{});
  else if (count <= 4) work(std::integral_constant<int64_t, 4>{});
  else work(std::integral_constant<int64_t, kMicroRows>{});
}

// Columns of a micro-tile: two registers where the channels allow it.
template <typename U = float>
inline int64_t MicroColumns(int64_t channels) { return MicroKernel<U>::kRegisters == 2 && channels % (2 * kLanes) == 0 ? 2 * kLanes : kLanes; }

// What the products of a stretch of work need in place, for sums of so many U.
template <typename U>
struct Prepared {
  explicit Prepared(int64_t) {}
};

// c [rows, columns] = a b over `depth`, or added to it where asked, for one micro-tile; the columns of b lie side by side.
template <int64_t rows, int registers, typename U>
inline void MultiplyMicroTile(bool accumulate, const Side<U>& a, const Side<U>& b, int64_t depth, float* __restrict c,
                              int64_t c_stride) {
  using M = MicroKernel<U>;
  typename M::Sum sum[rows][registers];
#pragma GCC unroll 8
  for (int64_t r = 0; r < rows; r++)
#pragma GCC unroll 2
    for (int64_t n = 0; n < registers; n++) sum[r][n] = typename M::Sum{};
  for (int64_t k = 0; k < depth; k++) {
    Lanes right[registers];
#pragma GCC unroll 2
    for (int64_t n = 0; n < registers; n++) right[n] = LoadRight(b.values + k * b.depth + n * kLanes);
#pragma GCC unroll 8
    for (int64_t r = 0; r < rows; r++) {
      const U left = a.values[r * a.outer + k * a.depth];
#pragma GCC unroll 2
      for (int64_t n = 0; n < registers; n++) sum[r][n] = M::Add(sum[r][n], left, right[n]);
    }
  }
#pragma GCC unroll 8
  for (int64_t r = 0; r < rows; r++)
#pragma GCC unroll 2
    for (int64_t n = 0; n < registers; n++) {
      float* to = c + r * c_stride + n * kLanes;
      const Lanes value = M::Dequantize(sum[r][n], a.scale, r, b.scale, n * kLanes);
      StoreLanes(accumulate ? LoadLanes(to) + value : value, to);
    }
}

// MultiplyMicroTile for the first `count` rows of a micro-tile of so many columns.
template <typename U>
void Multiply(bool accumulate, int64_t count, int64_t columns, const Side<U>& a, const Side<U>& b, int64_t depth, float* c, int64_t c_stride) {
  WithRows(count, [&](auto rows) {
    if (columns == kLanes) MultiplyMicroTile<rows, 1>(accumulate, a, b, depth, c, c_stride);
    else MultiplyMicroTile<rows, 2>(accumulate, a, b, depth, c, c_stride);
  });
}

// c [rows, columns] = sum over k of from[r][offsets[k]] right[k, columns], or added to it, for one micro-tile: a product whose
// left side lies scattered in memory. Where U has scales, `scale` has one for each row.
template <int64_t rows, int registers, typename U>
inline void MultiplyGathered(bool accumulate, const U* const (&from)[kMicroRows], const float* scale, const int64_t* offsets, int64_t depth,
                             const Side<U>& right, float* __restrict c, int64_t c_stride) {
  using M = MicroKernel<U>;
  typename M::Sum sum[rows][registers];
#pragma GCC unroll 8
  for (int64_t r = 0; r < rows; r++)
#pragma GCC unroll 2
    for (int64_t n = 0; n < registers; n++) sum[r][n] = typename M::Sum{};
  for (int64_t k = 0; k < depth; k++) {
    const int64_t offset = offsets[k];
    Lanes values[registers];
#pragma GCC unroll 2
    for (int64_t n = 0; n < registers; n++) values[n] = LoadRight(right.values + k * right.depth + n * kLanes);
#pragma GCC unroll 8
    for (int64_t r = 0; r < rows; r++)
#pragma GCC unroll 2
      for (int64_t n = 0; n < registers; n++) sum[r][n] = M::Add(sum[r][n], from[r][offset], values[n]);
  }
#pragma GCC unroll 8
  for (int64_t r = 0; r < rows; r++)
#pragma GCC unroll 2
    for (int64_t n = 0; n < registers; n++) {
      float* to = c + r * c_stride + n * kLanes;
      const Lanes value = M::Dequantize(sum[r][n], scale, r, right.scale, n * kLanes);
      StoreLanes(accumulate ? LoadLanes(to) + value : value, to);
    }
}

// MultiplyGathered for the first `count` rows of a micro-tile of so many columns.
template <typename U>
inline void MultiplyGathered(bool accumulate, int64_t count, int64_t columns, const U* const (&from)[kMicroRows], const float* scale,
                             const int64_t* offsets, int64_t depth, const Side<U>& right, float* c, int64_t c_stride) {
  WithRows(count, [&](auto rows) {
    if (columns == kLanes) MultiplyGathered<rows, 1>(accumulate, from, scale, offsets, depth, right, c, c_stride);
    else MultiplyGathered<rows, 2>(accumulate, from, scale, offsets, depth, right, c, c_stride);
  });
}

}  // namespace
}  // namespace cascade
