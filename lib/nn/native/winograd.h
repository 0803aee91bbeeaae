// How the 3x3 convolution and its gradients take fewer products than the sum over nine taps takes,
//
//     Y = A^T [(G g G^T) (B^T d B)] A,  d a part of the input, g the 3x3 filter, Y the outputs of the part
//
// for each pair of channels: d and g are transformed, multiplied place by place and summed over the input channels, and
// the sums transformed back. The ways, by the map:
//
//   Pieces      stride 1, after Winograd (Lavin and Gray 2016): 4x4 outputs from a 6x6 piece with 36 products in place of
//               144. B, G and A follow from the interpolation of a polynomial at 0, ±a, ±b and infinity. The customary
//               a = 1, b = 2 is not the most exact: 3/4 and 3/2 halve the rounding error, and every constant of B and A
//               is exact.
//   WholeMap    a 2x2 map, around which all is zero: 9 products in place of 36 (16 without those by zero). In one
//               dimension y0 = g1 x0 + g2 x1 and y1 = g0 x0 + g1 x1 share the product g1 (x0 + x1).
//   Strided     stride 2: 2x2 outputs with 25 products in place of 36, StridedBack its gradient by the input. In one
//               dimension y0 = g0 x0 + g1 x1 + g2 x2 and y1 = g0 x2 + g1 x3 + g2 x4 share the product (g0 + g2) x2.

#pragma once

#include "common.h"

namespace cascade {
namespace {

constexpr int64_t kFilter = 3;  // side of the filter

struct Pieces {
  static constexpr int64_t kInput = 6, kPlaces = 6, kOutput = 4;  // sides of d, of the products, and of Y
  static constexpr int64_t kStep = 4, kReach = 1;                 // d begins at kStep times the part's number - kReach

  static constexpr float kA = 0.75f, kB = 1.5f;
  static constexpr float kA2 = kA * kA, kB2 = kB * kB, kProduct = kA2 * kB2, kSum = kA2 + kB2;
  static constexpr float kScale0 = 1 / kProduct, kScaleA = 1 / (2 * kA2 * (kA2 - kB2)), kScaleB = 1 / (2 * kB2 * (kB2 - kA2));

  // B^T over one axis.
  static void Input(const Lanes (&d)[kInput], Lanes (&v)[kPlaces]) {
    const Lanes even_a = d[4] - kB2 * d[2], odd_a = kA * (d[3] - kB2 * d[1]);
    const Lanes even_b = d[4] - kA2 * d[2], odd_b = kB * (d[3] - kA2 * d[1]);
    v[0] = kProduct * d[0] - kSum * d[2] + d[4];
    v[1] = even_a + odd_a;
    v[2] = even_a - odd_a;
    v[3] = even_b + odd_b;
    v[4] = even_b - odd_b;
    v[5] = kProduct * d[1] - kSum * d[3] + d[5];
  }

  // A^T over one axis.
  static void Output(const Lanes (&m)[kPlaces], Lanes (&y)[kOutput]) {
    const Lanes even_a = m[1] + m[2], odd_a = kA * (m[1] - m[2]);
    const Lanes even_b = m[3] + m[4], odd_b = kB * (m[3] - m[4]);
    y[0] = m[0] + even_a + even_b;
    y[1] = odd_a + odd_b;
    y[2] = kA2 * even_a + kB2 * even_b;
    y[3] = kA2 * odd_a + kB2 * odd_b + m[5];
  }

  // A over one axis: the gradient of Output.
  static void OutputGradient(const Lanes (&y)[kOutput], Lanes (&m)[kPlaces]) {
    const Lanes even_a = y[0] + kA2 * y[2], odd_a = kA * (y[1] + kA2 * y[3]);
    const Lanes even_b = y[0] + kB2 * y[2], odd_b = kB * (y[1] + kB2 * y[3]);
    m[0] = y[0];
    m[1] = even_a + odd_a;
    m[2] = even_a - odd_a;
    m[3] = even_b + odd_b;
    m[4] = even_b - odd_b;
    m[5] = y[3];
  }

  // G over one axis.
  static void Filter(const Lanes (&g)[kFilter], Lanes (&u)[kPlaces]) {
    const Lanes even_a = kScaleA * (g[0] + kA2 * g[2]), odd_a = kScaleA * kA * g[1];
    const Lanes even_b = kScaleB * (g[0] + kB2 * g[2]), odd_b = kScaleB * kB * g[1];
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
    g[0] = kScale0 * u[0] + even_a + even_b;
    g[1] = odd_a + odd_b;
    g[2] = kA2 * even_a + kB2 * even_b + u[5];
  }
};

struct WholeMap {
  static constexpr int64_t kInput = 2, kPlaces = 3, kOutput = 2, kStep = 2, kReach = 0;

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

struct Strided {
  static constexpr int64_t kInput = 5, kPlaces = 5, kOutput = 2, kStep = 4, kReach = 1;

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
struct StridedBack {
  static constexpr int64_t kInput = 3, kPlaces = 5, kOutput = 4, kStep = 2, kReach = 0;

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

  static void Filter(const Lanes (&g)[kFilter], Lanes (&u)[kPlaces]) { Strided::Filter(g, u); }
};

template <typename Way>
constexpr int64_t PlacesOf() { return Way::kPlaces * Way::kPlaces; }

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
