// How the 3x3 convolution and its gradients take fewer products than the sum over nine taps takes,
//
//     Y = A^T [(G g G^T) (B^T d B)] A,  d a tile of the input, g the 3x3 filter, Y the outputs of the tile
//
// for each pair of channels: d and g are transformed, multiplied place by place and summed over the input channels, and
// the sums transformed back. The algorithms, by the map:
//
//   Winograd4x4     stride 1 (Lavin and Gray 2016): 4x4 outputs from a 6x6 tile with 36 products in place of 144. B, G and
//                   A follow from the interpolation of a polynomial at 0, ±a, ±b and infinity. The customary a = 1, b = 2
//                   is not the most exact: 3/4 and 3/2 halve the rounding error, and every constant of B and A is exact.
//   WholeMap2x2     a 2x2 map, around which all is zero: 9 products in place of 36 (16 without those by zero). In one
//                   dimension y0 = g1 x0 + g2 x1 and y1 = g0 x0 + g1 x1 share the product g1 (x0 + x1).
//   StrideTwo       stride 2: 2x2 outputs with 25 products in place of 36, StrideTwoBack its gradient by the input. In one
//                   dimension y0 = g0 x0 + g1 x1 + g2 x2 and y1 = g0 x2 + g1 x3 + g2 x4 share the product (g0 + g2) x2.

#pragma once

#include "lanes.h"

namespace cascade {
namespace {

constexpr int64_t kFilter = 3;  // side of the filter

struct Winograd4x4 {
  static constexpr int64_t kInput = 6, kPlaces = 6, kOutput = 4;  // sides of d, of the products, and of Y
  static constexpr int64_t kStep = 4, kPadding = 1;               // d begins at kStep times the tile's number - kPadding

  static constexpr float kA = 0.75f, kB = 1.5f;
  static constexpr float kA2 = kA * kA, kB2 = kB * kB, kProduct = kA2 * kB2, kSum = kA2 + kB2;
  static constexpr float kScale0 = 1 / kProduct, kScaleA = 1 / (2 * kA2 * (kA2 - kB2)), kScaleB = 1 / (2 * kB2 * (kB2 - kA2));

  // B^T over one axis:
  //   v0 = a²b² d0 - (a² + b²) d2 + d4,                   v5 = a²b² d1 - (a² + b²) d3 + d5
  //   v1, v2 = (d4 - b² d2) ± a (d3 - b² d1),             v3, v4 = (d4 - a² d2) ± b (d3 - a² d1)
  static void Input(const Lanes (&d)[kInput], Lanes (&v)[kPlaces]) {
    const Lanes even_a = FusedMultiplyAdd(-kB2, d[2], d[4]), odd_a = FusedMultiplyAdd(-kB2, d[1], d[3]);
    const Lanes even_b = FusedMultiplyAdd(-kA2, d[2], d[4]), odd_b = FusedMultiplyAdd(-kA2, d[1], d[3]);
    v[0] = FusedMultiplyAdd(kProduct, d[0], FusedMultiplyAdd(-kSum, d[2], d[4]));
    v[1] = FusedMultiplyAdd(kA, odd_a, even_a);
    v[2] = FusedMultiplyAdd(-kA, odd_a, even_a);
    v[3] = FusedMultiplyAdd(kB, odd_b, even_b);
    v[4] = FusedMultiplyAdd(-kB, odd_b, even_b);
    v[5] = FusedMultiplyAdd(kProduct, d[1], FusedMultiplyAdd(-kSum, d[3], d[5]));
  }

  // A^T over one axis, with the even parts m1 + m2, m3 + m4 and the odd ones m1 - m2, m3 - m4:
  //   y0 = m0 + even_a + even_b,      y1 = a odd_a + b odd_b
  //   y2 = a² even_a + b² even_b,     y3 = a³ odd_a + b³ odd_b + m5
  static void Output(const Lanes (&m)[kPlaces], Lanes (&y)[kOutput]) {
    const Lanes even_a = m[1] + m[2], odd_a = kA * (m[1] - m[2]);
    const Lanes even_b = m[3] + m[4], odd_b = kB * (m[3] - m[4]);
    y[0] = m[0] + even_a + even_b;
    y[1] = odd_a + odd_b;
    y[2] = FusedMultiplyAdd(kA2, even_a, kB2 * even_b);
    y[3] = FusedMultiplyAdd(kA2, odd_a, FusedMultiplyAdd(kB2, odd_b, m[5]));
  }

  // A over one axis: the gradient of Output.
  static void OutputGradient(const Lanes (&y)[kOutput], Lanes (&m)[kPlaces]) {
    const Lanes even_a = FusedMultiplyAdd(kA2, y[2], y[0]), odd_a = FusedMultiplyAdd(kA2, y[3], y[1]);
    const Lanes even_b = FusedMultiplyAdd(kB2, y[2], y[0]), odd_b = FusedMultiplyAdd(kB2, y[3], y[1]);
    m[0] = y[0];
    m[1] = FusedMultiplyAdd(kA, odd_a, even_a);
    m[2] = FusedMultiplyAdd(-kA, odd_a, even_a);
    m[3] = FusedMultiplyAdd(kB, odd_b, even_b);
    m[4] = FusedMultiplyAdd(-kB, odd_b, even_b);
    m[5] = y[3];
  }

  // G over one axis.
  static void Filter(const Lanes (&g)[kFilter], Lanes (&u)[kPlaces]) {
    const Lanes even_a = kScaleA * FusedMultiplyAdd(kA2, g[2], g[0]), odd_a = kScaleA * kA * g[1];
    const Lanes even_b = kScaleB * FusedMultiplyAdd(kB2, g[2], g[0]), odd_b = kScaleB * kB * g[1];
    u[0] = kScale0 * g[0];
    u[1] = even_a + odd_a;
    u[2] = even_a - odd_a;
    u[3] = even_b + odd_b;
    u[4] = even_b - odd_b;
    u[5] = g[2];
  }

  // G^T over one axis: the gradient of Filter.
  static void FilterGradient(const Lanes (&u)[kPlaces], Lanes (&g)[kFilter]) {
    const Lanes even_a = kScaleA * (u[1] + u[2]), odd_a = kScaleA * kA * (u[1] - u[2]);
    const Lanes even_b = kScaleB * (u[3] + u[4]), odd_b = kScaleB * kB * (u[3] - u[4]);
    g[0] = FusedMultiplyAdd(kScale0, u[0], even_a + even_b);
    g[1] = odd_a + odd_b;
    g[2] = FusedMultiplyAdd(kA2, even_a, FusedMultiplyAdd(kB2, even_b, u[5]));
  }
};

struct WholeMap2x2 {
  static constexpr int64_t kInput = 2, kPlaces = 3, kOutput = 2, kStep = 2, kPadding = 0;

  static void Input(const Lanes (&d)[kInput], Lanes (&v)[kPlaces]) {
    v[0] = d[0];
    v[1] = d[0] + d[1];
    v[2] = d[1];
  }

  static void Output(const Lanes (&m)[kPlaces], Lanes (&y)[kOutput]) {
    y[0] = m[1] + m[2];
    y[1] = m[0] + m[1];
  }

  static void OutputGradient(const Lanes (&y)[kOutput], Lanes (&m)[kPlaces]) {
    m[0] = y[1];
    m[1] = y[0] + y[1];
    m[2] = y[0];
  }

  static void Filter(const Lanes (&g)[kFilter], Lanes (&u)[kPlaces]) {
    u[0] = g[0] - g[1];
    u[1] = g[1];
    u[2] = g[2] - g[1];
  }

  static void FilterGradient(const Lanes (&u)[kPlaces], Lanes (&g)[kFilter]) {
    g[0] = u[0];
    g[1] = u[1] - u[0] - u[2];
    g[2] = u[2];
  }
};

struct StrideTwo {
  static constexpr int64_t kInput = 5, kPlaces = 5, kOutput = 2, kStep = 4, kPadding = 1;

  static void Input(const Lanes (&d)[kInput], Lanes (&v)[kPlaces]) {
    v[0] = d[0] - d[2];
    v[1] = d[2];
    v[2] = d[2] - d[4];
    v[3] = d[1];
    v[4] = d[3];
  }

  static void Output(const Lanes (&m)[kPlaces], Lanes (&y)[kOutput]) {
    y[0] = m[0] + m[1] + m[3];
    y[1] = m[1] - m[2] + m[4];
  }

  static void OutputGradient(const Lanes (&y)[kOutput], Lanes (&m)[kPlaces]) {
    m[0] = y[0];
    m[1] = y[0] + y[1];
    m[2] = -y[1];
    m[3] = y[0];
    m[4] = y[1];
  }

  static void Filter(const Lanes (&g)[kFilter], Lanes (&u)[kPlaces]) {
    u[0] = g[0];
    u[1] = g[0] + g[2];
    u[2] = g[2];
    u[3] = g[1];
    u[4] = g[1];
  }

  static void FilterGradient(const Lanes (&u)[kPlaces], Lanes (&g)[kFilter]) {
    g[0] = u[0] + u[1];
    g[1] = u[3] + u[4];
    g[2] = u[1] + u[2];
  }
};

// dx0 = g1 dy0, dx1 = g2 dy0 + g0 dy1, dx2 = g1 dy1, dx3 = g2 dy1 + g0 dy2; the filter comes mirrored.
struct StrideTwoBack {
  static constexpr int64_t kInput = 3, kPlaces = 5, kOutput = 4, kStep = 2, kPadding = 0;

  static void Input(const Lanes (&d)[kInput], Lanes (&v)[kPlaces]) {
    v[0] = d[0] - d[1];
    v[1] = d[1];
    v[2] = d[1] - d[2];
    v[3] = d[0];
    v[4] = d[1];
  }

  static void Output(const Lanes (&m)[kPlaces], Lanes (&y)[kOutput]) {
    y[0] = m[3];
    y[1] = m[0] + m[1];
    y[2] = m[4];
    y[3] = m[1] - m[2];
  }

  static void Filter(const Lanes (&g)[kFilter], Lanes (&u)[kPlaces]) { StrideTwo::Filter(g, u); }
};

template <typename Algorithm>
constexpr int64_t PlacesOf() { return Algorithm::kPlaces * Algorithm::kPlaces; }

// `transform` over both axes, from `from` to `to` values each: load(row, column) gives the values, and
// store(row, column, value) takes the results. Nothing but what is between the axes is kept.
template <auto transform, int64_t from, int64_t to, typename Load, typename Store>
inline void TransformBoth(const Load& load, const Store& store) {
  Lanes half[to][from];
#pragma GCC unroll 6
  for (int64_t j = 0; j < from; j++) {
    Lanes column[from], transformed[to];
#pragma GCC unroll 6
    for (int64_t i = 0; i < from; i++) column[i] = load(i, j);
    transform(column, transformed);
#pragma GCC unroll 6
    for (int64_t i = 0; i < to; i++) half[i][j] = transformed[i];
  }
#pragma GCC unroll 6
  for (int64_t i = 0; i < to; i++) {
    Lanes row[to];
    transform(half[i], row);
#pragma GCC unroll 6
    for (int64_t j = 0; j < to; j++) store(i, j, row[j]);
  }
}

}  // namespace
}  // namespace cascade
