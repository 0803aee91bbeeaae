// Compiles where compiler and assembler know the instructions of level avx512-amx, for which g++ must be 11 or newer.

#include <immintrin.h>

void Probe() {
  _tile_zero(0);
  _tile_dpbuud(0, 1, 2);
  _tile_release();
}
