// Matrix products of tiles that stay in registers, the inner loops of the convolutions by parts.
//
// Products are taken of floats or, in mixed precision, of 16-bit integers with a scale to each row and column: the
// processor multiplies and adds two of these in a lane at once. bfloat16's eight bits do not bear the transforms, which
// magnify rounding tenfold; sixteen do. Each sum is taken in the same order on any number of threads.

#pragma once

#include "common.h"

#ifdef __AVX512VNNI__
#include <immintrin.h>
#endif

namespace cascade {
namespace {

constexpr int64_t kTileRows = kLanes == 16 ? 8 : 4;

// Products of values laid out as U, which holds as many neighbours along the sum as one lane multiplies at once; Beside
// puts them there. Summed turns a sum into a float, with the scales of its row and column where there are any.
template <typename U>
struct Products;

template <>
struct Products<float> {
  using Sum = Lanes;
  static constexpr int64_t kNeighbours = 1;
  static constexpr bool kScaled = false;
  static Lanes Beside(const Lanes (&neighbours)[1]) { return neighbours[0]; }
  static Lanes Add(Lanes sum, float left, Lanes right) { return sum + left * right; }
  static Lanes Summed(Lanes sum, const float*, int64_t, const float*, int64_t) { return sum; }
};

#ifdef __AVX512VNNI__
// Two 16-bit integers. Rows and columns are scaled to vectors of this length, to which rounding n terms adds at most half
// the root of n. No integer is longer than its vector, nor, after Cauchy and Schwarz, any sum of products than two vectors'
// lengths multiplied: both fit, the sums in 32 bits.
constexpr float kLength = 32600;

template <>
struct Products<int32_t> {
  using Sum = LaneBits;
  static constexpr int64_t kNeighbours = 2;
  static constexpr bool kScaled = true;
  static Lanes Beside(const Lanes (&neighbours)[2]) {
    const LaneBits low = (LaneBits)_mm512_cvtps_epi32((__m512)neighbours[0]);
    const LaneBits high = (LaneBits)_mm512_cvtps_epi32((__m512)neighbours[1]);
    return (Lanes)((low & 0xffff) | high << 16);
  }
  static LaneBits Add(LaneBits sum, int32_t left, Lanes right) {
    return (LaneBits)_mm512_dpwssd_epi32((__m512i)sum, _mm512_set1_epi32(left), (__m512i)right);
  }
  static Lanes Summed(LaneBits sum, const float* rows, int64_t row, const float* columns, int64_t column) {
    return (Lanes)_mm512_cvtepi32_ps((__m512i)sum) * (rows[row] * LoadLanes(columns + column));
  }
};

// What makes integers of vectors with such squared lengths, and the scale that turns them back.
inline Lanes FactorOf(Lanes squares, float* scale) {
  const Lanes length = (Lanes)_mm512_sqrt_ps((__m512)squares);
  StoreLanes(length / kLength, scale);
  return length > 0 ? kLength / length : Lanes{};
}

// values -> pairs of integers and their scale. Where the squares of all of them vanish, below 1e-22, so do they.
inline void ToIntegers(const float* values, int64_t count, int32_t* pairs, float* scale) {
  __m512 squares = _mm512_setzero_ps();
  for (int64_t c = 0; c < count; c += kLanes) {
    const __m512 lanes = _mm512_loadu_ps(values + c);
    squares = _mm512_fmadd_ps(lanes, lanes, squares);
  }
  const float length = std::sqrt(_mm512_reduce_add_ps(squares));
  *scale = length / kLength;
  const __m512 factor = _mm512_set1_ps(length > 0 ? kLength / length : 0);
  for (int64_t c = 0; c < count; c += kLanes) {
    const __m256i rounded = _mm512_cvtepi32_epi16(_mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(values + c), factor)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(pairs + c / 2), rounded);
  }
}
#endif

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

// c [rows, columns] = a b over `depth`, or added to it where asked, for one tile; the columns of b lie side by side.
template <typename U, int registers>
inline void MultiplyTile(bool accumulate, const Side<U>& a, const Side<U>& b, int64_t depth, float* __restrict c,
                         int64_t c_stride) {
  using P = Products<U>;
  typename P::Sum sum[kTileRows][registers];
  for (int64_t r = 0; r < kTileRows; r++)
    for (int64_t n = 0; n < registers; n++) sum[r][n] = typename P::Sum{};
  for (int64_t k = 0; k < depth; k++) {
    Lanes right[registers];
    for (int64_t n = 0; n < registers; n++) right[n] = LoadRight(b.values + k * b.depth + n * kLanes);
    for (int64_t r = 0; r < kTileRows; r++) {
      const U left = a.values[r * a.outer + k * a.depth];
      for (int64_t n = 0; n < registers; n++) sum[r][n] = P::Add(sum[r][n], left, right[n]);
    }
  }
  for (int64_t r = 0; r < kTileRows; r++)
    for (int64_t n = 0; n < registers; n++) {
      float* to = c + r * c_stride + n * kLanes;
      const Lanes summed = P::Summed(sum[r][n], a.scale, r, b.scale, n * kLanes);
      StoreLanes(accumulate ? LoadLanes(to) + summed : summed, to);
    }
}

// Columns of a tile: two registers where the channels allow it.
inline int64_t TileColumns(int64_t channels) { return channels % (2 * kLanes) == 0 ? 2 * kLanes : kLanes; }

// MultiplyTile for a tile of so many columns.
template <typename U>
void Multiply(bool accumulate, int64_t columns, const Side<U>& a, const Side<U>& b, int64_t depth, float* c, int64_t c_stride) {
  if (columns == kLanes) MultiplyTile<U, 1>(accumulate, a, b, depth, c, c_stride);
  else MultiplyTile<U, 2>(accumulate, a, b, depth, c, c_stride);
}

}  // namespace
}  // namespace cascade
