// A model of the matrix registers (AMX-TILE, AMX-INT8), so that what is written for them runs on every processor: included
// before everything else it takes the place of the instructions. What they do is said in Intel's manual of instructions,
// volume 2, under LDTILECFG, TILELOADD, TILESTORED, TILEZERO, TILERELEASE and TDPB{SS,SU,US,UU}D; what they would fault at
// ends the process.

#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

#undef _tile_loadconfig
#define _tile_loadconfig model_loadconfig
#undef _tile_release
#define _tile_release model_release
#undef _tile_zero
#define _tile_zero model_zero
#undef _tile_loadd
#define _tile_loadd model_loadd
#undef _tile_stored
#define _tile_stored model_stored
#undef _tile_dpbssd
#define _tile_dpbssd model_dpbssd
#undef _tile_dpbsud
#define _tile_dpbsud model_dpbsud
#undef _tile_dpbusd
#define _tile_dpbusd model_dpbusd
#undef _tile_dpbuud
#define _tile_dpbuud model_dpbuud
#define CASCADE_MATRIX_REGISTERS

namespace {

struct MatrixRegisterFile {
  bool configured = false;
  int rows[8], bytes[8];
  uint8_t data[8][16][64];
};
thread_local MatrixRegisterFile matrix;

inline void Require(bool holds) {
  if (!holds) std::abort();
}

inline void model_loadconfig(const void* from) {
  const auto* config = static_cast<const uint8_t*>(from);
  Require(config[0] == 1);
  for (int n = 0; n < 8; n++) {
    uint16_t bytes;
    std::memcpy(&bytes, config + 16 + 2 * n, 2);
    matrix.bytes[n] = bytes;
    matrix.rows[n] = config[48 + n];
    Require(bytes <= 64 && matrix.rows[n] <= 16);
  }
  for (int n = 1; n < 64; n++) Require((n >= 16 && n < 32) || (n >= 48 && n < 56) || config[n] == 0);
  std::memset(matrix.data, 0, sizeof(matrix.data));
  matrix.configured = true;
}

inline void model_release() { matrix.configured = false; }

inline void model_zero(int n) {
  Require(matrix.configured);
  std::memset(matrix.data[n], 0, sizeof(matrix.data[n]));
}

inline void model_loadd(int n, const void* from, int64_t stride) {
  model_zero(n);
  for (int row = 0; row < matrix.rows[n]; row++) std::memcpy(matrix.data[n][row], static_cast<const uint8_t*>(from) + row * stride, matrix.bytes[n]);
}

inline void model_stored(int n, void* to, int64_t stride) {
  Require(matrix.configured);
  for (int row = 0; row < matrix.rows[n]; row++) std::memcpy(static_cast<uint8_t*>(to) + row * stride, matrix.data[n][row], matrix.bytes[n]);
}

// c[m][n] += sum over k and the four bytes i of a[m][4 k + i] b[k][4 n + i], as bytes of these kinds
template <typename A, typename B>
inline void Dot(int c, int a, int b) {
  Require(matrix.configured && c != a && c != b && a != b);
  Require(matrix.rows[a] == matrix.rows[c] && matrix.bytes[b] == matrix.bytes[c] && matrix.bytes[a] == 4 * matrix.rows[b]);
  for (int m = 0; m < matrix.rows[c]; m++)
    for (int n = 0; n < matrix.bytes[c] / 4; n++) {
      uint32_t sum;
      std::memcpy(&sum, &matrix.data[c][m][4 * n], 4);
      for (int k = 0; k < matrix.rows[b]; k++)
        for (int i = 0; i < 4; i++)
          sum += static_cast<uint32_t>(static_cast<int32_t>(static_cast<A>(matrix.data[a][m][4 * k + i])) * static_cast<B>(matrix.data[b][k][4 * n + i]));
      std::memcpy(&matrix.data[c][m][4 * n], &sum, 4);
    }
}

inline void model_dpbssd(int c, int a, int b) { Dot<int8_t, int8_t>(c, a, b); }
inline void model_dpbsud(int c, int a, int b) { Dot<int8_t, uint8_t>(c, a, b); }
inline void model_dpbusd(int c, int a, int b) { Dot<uint8_t, int8_t>(c, a, b); }
inline void model_dpbuud(int c, int a, int b) { Dot<uint8_t, uint8_t>(c, a, b); }

}  // namespace
