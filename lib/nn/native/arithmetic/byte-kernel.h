// Products of 16-bit integers by the processor's matrix registers (AMX), which multiply bytes: with a = 2^8 high + low, high
// a signed byte and low an unsigned one,
//
//     sum a b = 2^16 sum high high + 2^8 (sum high low + sum low high) + sum low low
//
// Each of the four sums is taken modulo 2^32, and so is the total, which fits (kLength): it is to the bit the sum that pairs
// of 16-bit integers give (micro-kernel.h), at a quarter of the cycles on paper.

#pragma once

#include "micro-kernel.h"

namespace cascade {
namespace {

#ifdef CASCADE_MATRIX_REGISTERS

// Four neighbours along a sum. A run of them, which a matrix register takes at once, keeps all upper bytes before all lower
// ones: the runs of a right side go over sixteen columns, those of a left side along the sum.
struct ByteQuad {
  uint32_t halves[2];
};

constexpr int64_t kMatrixRows = 16;  // of a register, each of sixteen times four bytes

template <>
struct MicroKernel<ByteQuad> {
  static constexpr int64_t kNeighbours = 4, kRows = kMatrixRows, kRegisters = 1, kDepth = kMatrixRows;
  static constexpr bool kScaled = true, kRowsAlongSum = true;

  // The quads along the sum that one register takes: as many as divide it.
  static int64_t Run(int64_t depth) {
    int64_t quads = kMatrixRows;
    while (depth % quads != 0) quads -= 4;
    return quads;
  }

  static void StoreRight(const Lanes (&neighbours)[4], ByteQuad* to) {
    LaneBits high{}, low{};
    for (int n = 0; n < 4; n++) {
      const LaneBits integers = (LaneBits)ToNearest(neighbours[n]);
      high |= (integers >> 8 & 0xff) << 8 * n;
      low |= (integers & 0xff) << 8 * n;
    }
    std::memcpy(to, &high, sizeof(high));
    std::memcpy(to + kLanes / 2, &low, sizeof(low));
  }

  // The integers from c on of a row of `count`.
  static void StoreLeft(LaneIntegers integers, int64_t c, int64_t count, ByteQuad* row) {
    const int64_t bytes = 4 * Run(count / 4);
    auto* to = reinterpret_cast<uint8_t*>(row) + c / bytes * 2 * bytes + c % bytes;
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8((__m512i)(integers >> 8)));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + bytes), _mm512_cvtepi32_epi8((__m512i)integers));
  }

  // A run of a right side becomes one of a left side, whose rows were the columns.
  static void TurnRun(ByteQuad* run) {
    __m512i rows[2][kMatrixRows];
    for (int64_t r = 0; r < kMatrixRows; r++)
      for (int64_t half = 0; half < 2; half++) rows[half][r] = _mm512_load_si512(run + (2 * r + half) * kMatrixRows / 2);
    const LaneIntegers lane{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    for (auto& half : rows)
      // Squares along the diagonal, twice as wide each time, exchange what lies off it.
      for (int width = 1; width < kMatrixRows; width *= 2) {
        const LaneIntegers outer = (lane & width) != 0;
        const auto upper = (__m512i)((outer & (lane - width + 16)) | (~outer & lane));
        const auto lower = (__m512i)((outer & (lane + 16)) | (~outer & (lane + width)));
        for (int64_t r = 0; r < kMatrixRows; r++) {
          if ((r & width) != 0) continue;
          const __m512i above = half[r], below = half[r + width];
          half[r] = _mm512_permutex2var_epi32(above, upper, below);
          half[r + width] = _mm512_permutex2var_epi32(above, lower, below);
        }
      }
    for (int64_t r = 0; r < kMatrixRows; r++)
      for (int64_t half = 0; half < 2; half++) _mm512_store_si512(run + (2 * r + half) * kMatrixRows / 2, rows[half][r]);
  }
};

// Before a register is loaded memory must hold what was written: not every compiler knows what these instructions read.
inline void WriteAll(const void* read) { __asm__ volatile("" : : "r"(read) : "memory"); }

// Gives this thread's registers their shapes, until it goes: sums in 0 to 3, left sides in 4 and 5, right sides in 6 and 7.
template <>
struct Prepared<ByteQuad> {
  explicit Prepared(int64_t depth) {
    const auto quads = static_cast<uint8_t>(MicroKernel<ByteQuad>::Run(depth));
    struct alignas(64) {
      uint8_t palette, first_row, reserved[14];
      uint16_t bytes[16];
      uint8_t rows[16];
    } shapes{};
    shapes.palette = 1;
    for (int n = 0; n < 8; n++) {
      const bool left = n == 4 || n == 5, right = n > 5;
      shapes.bytes[n] = left ? 4 * quads : 64;
      shapes.rows[n] = right ? quads : kMatrixRows;
    }
    WriteAll(&shapes);
    _tile_loadconfig(&shapes);
  }
  ~Prepared() { _tile_release(); }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;
};

// c [rows, 16] = a b over `depth`, or added to it where asked, for the first `count` rows; inside a Prepared for that depth.
inline void Multiply(bool accumulate, int64_t count, int64_t, const Side<ByteQuad>& a, const Side<ByteQuad>& b, int64_t depth,
                     float* __restrict c, int64_t c_stride) {
  const int64_t quads = MicroKernel<ByteQuad>::Run(depth), stride = a.outer * sizeof(ByteQuad);
  WriteAll(a.values);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (int64_t k = 0; k < depth; k += quads) {
    const auto* left = reinterpret_cast<const uint8_t*>(a.values + k * a.depth);
    const auto* right = reinterpret_cast<const uint8_t*>(b.values + k * b.depth);
    _tile_loadd(6, right, 128);
    _tile_loadd(4, left, stride);
    _tile_dpbssd(0, 4, 6);
    _tile_loadd(7, right + 64, 128);
    _tile_dpbsud(1, 4, 7);
    _tile_loadd(5, left + 4 * quads, stride);
    _tile_dpbusd(2, 5, 6);
    _tile_dpbuud(3, 5, 7);
  }
  alignas(64) LaneBits sums[4][kMatrixRows];
  _tile_stored(0, sums[0], sizeof(LaneBits));
  _tile_stored(1, sums[1], sizeof(LaneBits));
  _tile_stored(2, sums[2], sizeof(LaneBits));
  _tile_stored(3, sums[3], sizeof(LaneBits));
  WriteAll(sums);
  for (int64_t r = 0; r < count; r++) {
    const LaneBits sum = (sums[0][r] << 16) + ((sums[1][r] + sums[2][r]) << 8) + sums[3][r];
    const Lanes value = MicroKernel<int32_t>::Dequantize((LaneIntegers)sum, a.scale, r, b.scale, 0);
    float* to = c + r * c_stride;
    StoreLanes(accumulate ? LoadLanes(to) + value : value, to);
  }
}

using IntegerProducts = ByteQuad;
#else
using IntegerProducts = int32_t;
#endif

}  // namespace
}  // namespace cascade
