// The 3x3 convolution and its gradients with fewer products than the sum over nine taps takes,
//
//     Y = A^T [(G g G^T) (B^T d B)] A,  d a piece of the input, g the 3x3 filter, Y the outputs of the piece
//
// for each pair of channels: d and g are transformed, multiplied place by place and summed over the input channels, and
// the sums transformed back. Two ways, by the size of the map:
//
//   Pieces      stride 1, after Winograd (Lavin and Gray 2016): 4x4 outputs from a 6x6 piece with 36 products in place of 144. B, G
//               and A follow from the interpolation of a polynomial at 0, ±a, ±b and infinity. The customary a = 1, b = 2
//               is not the most exact: 3/4 and 3/2 halve the rounding error, and every constant of B and A is exact.
//   WholeMap    a 2x2 map, around which all is zero: 9 products in place of 36 (16 without those by zero). In one
//               dimension y0 = g1 x0 + g2 x1 and y1 = g0 x0 + g1 x1 share the product g1 (x0 + x1).
//   Strided     stride 2: 2x2 outputs with 25 products in place of 36, StridedBack its gradient by the input. In one
//               dimension y0 = g0 x0 + g1 x1 + g2 x2 and y1 = g0 x2 + g1 x3 + g2 x4 share the product (g0 + g2) x2.
//
// Values are stored as float or bfloat16. Products are taken of floats, of bfloat16 where the transforms are mere sums, or
// of 16-bit integers with a scale to each row and column: Winograd's transforms magnify rounding tenfold, which bfloat16's
// eight bits do not bear and sixteen do. Channels are a multiple of 16, which the callers see to. Each sum is taken in
// the same order on any number of threads.

#pragma once

#include "common.h"

#ifdef __AVX512VNNI__
#include <immintrin.h>
#endif

namespace cascade {
namespace {

constexpr int64_t kFilter = 3;                                 // side of the filter
constexpr int64_t kTileRows = kLanes == 16 ? 8 : 4;            // a tile of a product stays in registers
constexpr int64_t kCachedBytes = 200 * 1024;                   // of transformed parts that are worked on together
constexpr int64_t kManySums = 64 * 128;                       // pairs of channels above which a gradient's sums are many
constexpr int64_t kShares = 8;                                 // of the parts, with sums of their own, where they are few

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

// `transform` over both axes, from `from` to `to` values each: load(row, column) gives the values, and store(row, column, value) takes
// the results. Nothing but what is between the axes is kept.
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

// What products are taken of: Product holds as many neighbours along the sum as one lane multiplies at once; Beside puts
// them there. Summed turns a sum into a float, with the scales of its row and column where there are any.
template <typename U>
struct Products;

template <>
struct Products<float> {
  using Product = float;
  using Sum = Lanes;
  static constexpr int64_t kNeighbours = 1;
  static constexpr bool kScaled = false;
  static Lanes Beside(const Lanes (&neighbours)[1]) { return neighbours[0]; }
  static Lanes Add(Lanes sum, float left, Lanes right) { return sum + left * right; }
  static Lanes Summed(Lanes sum, const float*, int64_t, const float*, int64_t) { return sum; }
};

#ifdef __AVX512VNNI__
// Two 16-bit integers. Rows and columns are scaled to vectors of at most this length, rounding included: no integer is
// greater, nor, after Cauchy and Schwarz, any sum of products than its square, which 32 bits hold.
constexpr float kLength = 32600;

template <>
struct Products<int32_t> {
  using Product = int32_t;
  using Sum = LaneBits;
  static constexpr int64_t kNeighbours = 2;
  static constexpr bool kScaled = true;
  static Lanes Beside(const Lanes (&neighbours)[2]) {
    const LaneBits low = (LaneBits)_mm512_cvtps_epi32((__m512)neighbours[0]), high = (LaneBits)_mm512_cvtps_epi32((__m512)neighbours[1]);
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

// values -> integers and their scale. Where even squares vanish, below 1e-19, so do the values.
inline void ToIntegers(const float* values, int64_t count, int16_t* integers, float* scale) {
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
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(integers + c), rounded);
  }
}
#endif

// One side of a product: places lie `outer` and the terms of a sum `depth` values apart; `scale` is beside where U has scales.
template <typename U>
struct Side {
  const typename Products<U>::Product* values;
  int64_t outer, depth;
  const float* scale = nullptr;
};

// The lanes of a row of products' right sides.
template <typename Product>
inline Lanes LoadRight(const Product* from) {
  Lanes lanes;
  std::memcpy(&lanes, from, sizeof(lanes));
  return lanes;
}

// c [rows, columns] = a b, or added to where they are accumulated, over `depth`, with rows and columns of one tile: rows of a lie a.outer apart, the
// columns of b side by side.
template <typename U, int registers>
inline void MultiplyTile(bool accumulate, const Side<U>& a, const Side<U>& b, int64_t depth, float* __restrict c, int64_t c_stride) {
  using P = Products<U>;
  typename P::Sum sum[kTileRows][registers];
  for (int64_t r = 0; r < kTileRows; r++)
    for (int64_t n = 0; n < registers; n++) sum[r][n] = typename P::Sum{};
  for (int64_t k = 0; k < depth; k++) {
    Lanes right[registers];
    for (int64_t n = 0; n < registers; n++) right[n] = LoadRight(b.values + k * b.depth + n * kLanes);
    for (int64_t r = 0; r < kTileRows; r++) {
      const typename P::Product left = a.values[r * a.outer + k * a.depth];
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

template <typename U>
void Multiply(bool accumulate, int64_t columns, const Side<U>& a, const Side<U>& b, int64_t depth, float* c, int64_t c_stride) {
  if (columns == kLanes) MultiplyTile<U, 1>(accumulate, a, b, depth, c, c_stride);
  else MultiplyTile<U, 2>(accumulate, a, b, depth, c, c_stride);
}

// Not filled, as std::vector would.
using Buffer = std::unique_ptr<float[]>;
inline Buffer MakeBuffer(int64_t size) { return Buffer(new float[size]); }

// A stack of maps [N, H, W, C], as far as its positions go.
struct Maps {
  explicit Maps(const Tensor& x) : batch(x.dim_size(0)), height(x.dim_size(1)), width(x.dim_size(2)) {}
  Maps(int64_t batch, int64_t height, int64_t width) : batch(batch), height(height), width(width) {}
  int64_t batch, height, width;
};

// The parts of such maps, side x side positions each, `step` apart, the first one from `reach` before the map on.
struct Parts {
  Parts(const Maps& maps, int64_t step, int64_t reach, int64_t rows, int64_t columns) : maps(maps), step(step), reach(reach), columns(columns), of_image(rows * columns), count(maps.batch * of_image) {}

  int64_t Top(int64_t part) const { return part % of_image / columns * step - reach; }
  int64_t Left(int64_t part) const { return part % columns * step - reach; }
  bool Inside(int64_t row, int64_t column) const { return row >= 0 && row < maps.height && column >= 0 && column < maps.width; }
  // Offset of a position of a part's image, in units of channels.
  int64_t At(int64_t part, int64_t row, int64_t column) const { return (part / of_image * maps.height + row) * maps.width + column; }

  const Maps maps;
  const int64_t step, reach, columns, of_image, count;
};

// The parts of the result, whose sides are multiples of a part's, and those of the input.
template <typename Way>
Parts OutputParts(const Maps& maps) { return Parts(maps, Way::kOutput, 0, maps.height / Way::kOutput, maps.width / Way::kOutput); }

template <typename Way>
Parts InputParts(const Maps& maps, const Parts& outputs) { return Parts(maps, Way::kStep, Way::kReach, outputs.of_image / outputs.columns, outputs.columns); }

// Where transformed values are put: v [places, C / block, parts, block], the places `place` values and the blocks `blocks`
// values apart.
struct Layout {
  int64_t place, block, blocks;
};

// Transforms parts `begin` to `end` of map [N, H, W, C], side x side positions each and `nothing` [C] outside the map, to v.
template <auto transform, int64_t side, int64_t place_side, typename T, typename U>
void TransformParts(const T* map, const T* nothing, const Parts& parts, int64_t channels, int64_t begin, int64_t end, U* v, const Layout& layout) {
  for (int64_t part = begin; part < end; part++) {
    const T* from[side][side];
    for (int64_t i = 0; i < side; i++)
      for (int64_t j = 0; j < side; j++) {
        const int64_t row = parts.Top(part) + i, column = parts.Left(part) + j;
        from[i][j] = parts.Inside(row, column) ? map + parts.At(part, row, column) * channels : nothing;
      }
    for (int64_t c = 0; c < channels; c += kLanes) {
      U* to = v + c / layout.block * layout.blocks + (part - begin) * layout.block + c % layout.block;
      TransformBoth<transform, side, place_side>([&](int64_t i, int64_t j) { return LoadLanes(from[i][j] + c); },
                                                 [&](int64_t i, int64_t j, Lanes value) { StoreLanes(value, to + (i * place_side + j) * layout.place); });
    }
  }
}

// From one place to the next: a power of two would put all places into the same set of the cache.
inline int64_t PlaceStride(int64_t values) { return values + kLanes; }

// Parts that a thread convolves together, in whole tiles: their transforms stay in its cache.
template <typename U>
int64_t PartsTogether(int64_t places, int64_t channels) {
  const int64_t bytes_of_tile = places * channels * kTileRows * sizeof(typename Products<U>::Product) / Products<U>::kNeighbours;
  return std::max<int64_t>(1, kCachedBytes / bytes_of_tile) * kTileRows;
}

// Parts that the gradient by the filter takes together: enough that fetching its many sums is worth while.
inline int64_t PartsOfGradient(int64_t inputs, int64_t outputs) { return std::max<int64_t>(128, inputs * outputs / 256); }

// A transformed filter u [places, C' / columns, C / neighbours, columns], with columns those of a tile, and where U has
// scales those of [places, C'].
template <typename U>
struct FilterParts {
  const U* u;
  const float* scale;
  int64_t inputs, outputs;
};

// Transforms parts `begin` to `end` of x to left sides [parts, inputs] of products, a place `stride` after the other, and where U has scales these,
// a place `scale_stride` after the other.
template <typename Way, typename U, typename T>
void TransformInputs(const T* x, const T* nothing, const Parts& parts, int64_t inputs, int64_t begin, int64_t end, typename Products<U>::Product* v, int64_t stride, float* transformed, float* scale, int64_t scale_stride) {
  constexpr int64_t neighbours = Products<U>::kNeighbours;
  if constexpr (Products<U>::kScaled) {
    for (int64_t part = begin; part < end; part++) {
      TransformParts<Way::Input, Way::kInput, Way::kPlaces>(x, nothing, parts, inputs, part, part + 1, transformed, Layout{inputs, inputs, 0});
      for (int64_t place = 0; place < PlacesOf<Way>(); place++)
        ToIntegers(transformed + place * inputs, inputs, reinterpret_cast<int16_t*>(v + place * stride + (part - begin) * inputs / neighbours), scale + place * scale_stride + part - begin);
    }
  } else {
    TransformParts<Way::Input, Way::kInput, Way::kPlaces>(x, nothing, parts, inputs, begin, end, reinterpret_cast<U*>(v), Layout{stride * neighbours, inputs, 0});
  }
}

// What is made of a convolution on its way out: a value is multiplied by its step's and channel's gain, the bias is added,
// and the ReLU follows where asked; without gains the value stays.
struct Afterwards {
  const float* gain = nullptr;
  const float* bias = nullptr;
  std::vector<int64_t> first_rows;
  bool relu = false;

  int64_t StepOf(int64_t row) const { return std::upper_bound(first_rows.begin(), first_rows.end(), row) - first_rows.begin() - 1; }
  Lanes Of(Lanes value, Lanes gain, Lanes bias) const {
    const Lanes shifted = value * gain + bias;
    return relu ? (shifted > 0 ? shifted : Lanes{}) : shifted;
  }
};

// y [N, H', W', C'] from x [N, H, W, C] and the filter, for parts `begin` to `end`.
template <typename Way, typename T, typename U>
void ConvolveParts(const T* x, const Parts& parts_x, const FilterParts<U>& filter, const Afterwards& afterwards, T* y, const Parts& parts_y, int64_t together, int64_t begin, int64_t end) {
  using Product = typename Products<U>::Product;
  constexpr int64_t side = Way::kPlaces, places = PlacesOf<Way>();
  const int64_t inputs = filter.inputs, outputs = filter.outputs, columns = TileColumns(outputs), depth = inputs / Products<U>::kNeighbours;
  const int64_t v_stride = PlaceStride(together * depth), m_stride = PlaceStride(together * columns);
  const std::vector<T> nothing(inputs, Stored<T>(0.0f));
  std::vector<Product> v(places * v_stride, 0);
  std::vector<float> m(places * m_stride), transformed(Products<U>::kScaled ? places * inputs : 0), scale(Products<U>::kScaled ? places * together : 0);
  const Product* right = reinterpret_cast<const Product*>(filter.u);
  for (int64_t first = begin; first < end; first += together) {
    const int64_t last = std::min(first + together, end), rows = RoundUp(last - first, kTileRows);
    TransformInputs<Way, U>(x, nothing.data(), parts_x, inputs, first, last, v.data(), v_stride, transformed.data(), scale.data(), together);
    for (int64_t k = 0; k < outputs; k += columns) {
      for (int64_t place = 0; place < places; place++) {
        const Side<U> b{right + (place * outputs + k) * depth, 1, columns, filter.scale + place * outputs + k};
        for (int64_t row = 0; row < rows; row += kTileRows) {
          const Side<U> a{&v[place * v_stride + row * depth], depth, 1, scale.data() + place * together + row};
          Multiply<U>(false, columns, a, b, depth, &m[place * m_stride + row * columns], columns);
        }
      }
      for (int64_t part = first; part < last; part++) {
        T* to = y + parts_y.At(part, parts_y.Top(part), parts_y.Left(part)) * outputs + k;
        const int64_t after = afterwards.gain == nullptr ? -1 : afterwards.StepOf(part / parts_y.of_image) * outputs + k;
        for (int64_t lane = 0; lane < columns; lane += kLanes) {
          const float* sums = &m[(part - first) * columns + lane];
          const auto sum_at = [&](int64_t i, int64_t j) { return LoadLanes(sums + (i * side + j) * m_stride); };
          const auto store = [&](int64_t i, int64_t j, Lanes value) { StoreLanes(value, to + (i * parts_y.maps.width + j) * outputs + lane); };
          if (after < 0) {
            TransformBoth<Way::Output, side, Way::kOutput>(sum_at, store);
          } else {
            const Lanes gain = LoadLanes(afterwards.gain + after + lane), bias = LoadLanes(afterwards.bias + after + lane);
            TransformBoth<Way::Output, side, Way::kOutput>(sum_at, [&](int64_t i, int64_t j, Lanes value) { store(i, j, afterwards.Of(value, gain, bias)); });
          }
        }
      }
    }
  }
}

constexpr int64_t kTapCount = kFilter * kFilter;

// filter [3, 3, C, C'] -> taps [tap, C, kLanes], the outputs from `first` on; turned, for the gradient by the input, C and
// C' change places and the taps are mirrored.
inline void LayOutTaps(const float* filter, int64_t inputs, int64_t outputs, bool turned, int64_t first, float* taps) {
  for (int64_t tap = 0; tap < kTapCount; tap++) {
    if (!turned) {
      for (int64_t c = 0; c < inputs; c++) StoreLanes(LoadLanes(filter + (tap * inputs + c) * outputs + first), taps + (tap * inputs + c) * kLanes);
      continue;
    }
    const float* from = filter + ((kTapCount - 1 - tap) * inputs + first) * outputs;
    float* to = taps + tap * outputs * kLanes;
    for (int64_t c = 0; c < outputs; c++)
      for (int64_t lane = 0; lane < kLanes; lane++) to[c * kLanes + lane] = from[lane * outputs + c];
  }
}

// The transform of the taps [tap, depth, kLanes] at `c`.
template <typename Way>
inline void TransformTaps(const float* taps, int64_t depth, int64_t c, Lanes (&u)[PlacesOf<Way>()]) {
  TransformBoth<Way::Filter, kFilter, Way::kPlaces>([&](int64_t i, int64_t j) { return LoadLanes(taps + ((i * kFilter + j) * depth + c) * kLanes); },
                                                    [&](int64_t i, int64_t j, Lanes value) { u[i * Way::kPlaces + j] = value; });
}

// What makes integers of transformed taps [tap, depth, kLanes], at each place, with the scales that turn them back.
template <typename Way>
void ScaleTaps(const float* taps, int64_t depth, Lanes (&factor)[PlacesOf<Way>()], float* scale, int64_t scale_stride) {
#ifdef __AVX512VNNI__
  Lanes squares[PlacesOf<Way>()]{};
  for (int64_t c = 0; c < depth; c++) {
    Lanes u[PlacesOf<Way>()];
    TransformTaps<Way>(taps, depth, c, u);
    for (int64_t place = 0; place < PlacesOf<Way>(); place++) squares[place] += u[place] * u[place];
  }
  for (int64_t place = 0; place < PlacesOf<Way>(); place++) factor[place] = FactorOf(squares[place], scale + place * scale_stride);
#endif
}

// taps [tap, depth, kLanes], the outputs from `first` on -> u of FilterParts and its scales.
template <typename Way, typename U>
void TransformFilter(const float* taps, int64_t depth, int64_t outputs, int64_t first, U* u, float* scale) {
  constexpr int64_t places = PlacesOf<Way>(), neighbours = Products<U>::kNeighbours;
  using Product = typename Products<U>::Product;
  const int64_t columns = TileColumns(outputs), units = depth / neighbours;
  Product* to = reinterpret_cast<Product*>(u) + first / columns * columns * units + first % columns;
  Lanes factor[places];
  if constexpr (Products<U>::kScaled) ScaleTaps<Way>(taps, depth, factor, scale + first, outputs);
  for (int64_t c = 0; c < units; c++) {
    Lanes transformed[neighbours][places];
    for (int64_t n = 0; n < neighbours; n++) TransformTaps<Way>(taps, depth, c * neighbours + n, transformed[n]);
    for (int64_t place = 0; place < places; place++) {
      Lanes values[neighbours];
      for (int64_t n = 0; n < neighbours; n++) {
        values[n] = transformed[n][place];
        if constexpr (Products<U>::kScaled) values[n] *= factor[place];
      }
      const Lanes row = Products<U>::Beside(values);
      std::memcpy(to + place * outputs * units + c * columns, &row, sizeof(row));
    }
  }
}

// Makes sides of products over the parts of a block [count, width], in place; where U has scales, with those of each column.
template <typename U>
void LayAlongParts(float* block, int64_t count, int64_t width, float* scale) {
#ifdef __AVX512VNNI__
  if constexpr (Products<U>::kScaled)
    for (int64_t lane = 0; lane < width; lane += kLanes) {
      const auto at = [&](int64_t part) { return part < count ? LoadLanes(block + part * width + lane) : Lanes{}; };
      Lanes squares{};
      for (int64_t part = 0; part < count; part++) squares += at(part) * at(part);
      const Lanes factor = FactorOf(squares, scale + lane);
      for (int64_t pair = 0; 2 * pair < count; pair++) StoreLanes(Products<U>::Beside({at(2 * pair) * factor, at(2 * pair + 1) * factor}), block + pair * width + lane);
    }
#endif
}

// dw [3, 3, C, C'] from x [N, H, W, C] and dy [N, H', W', C']: the sums of each place, transformed back.
//
// Few sums are kept several times over, so that the threads work on parts of their own, each in its cache; with many the
// threads share out the places instead. How many depends on the shape alone.
template <typename Way, typename U, typename T>
void FilterGradientOfParts(OpKernelContext* context, const Tensor& x, const Tensor& dy, float* dw) {
  using Product = typename Products<U>::Product;
  constexpr int64_t side = Way::kPlaces, places = PlacesOf<Way>(), neighbours = Products<U>::kNeighbours;
  const Parts parts_y = OutputParts<Way>(Maps(dy)), parts_x = InputParts<Way>(Maps(x), parts_y);
  const int64_t inputs = x.dim_size(3), outputs = dy.dim_size(3), size = inputs * outputs, columns = TileColumns(outputs);
  const int64_t of_share = Quotient(parts_y.count, size <= kManySums ? kShares : 1), shares = Quotient(parts_y.count, of_share);
  const int64_t together = std::min(PartsOfGradient(inputs, outputs), of_share);
  // The product runs along the parts, so that a tile's channels of all parts lie side by side.
  const Layout layout_x{PlaceStride(together * inputs), kLanes, together * kLanes}, layout_y{PlaceStride(together * outputs), columns, together * columns};
  const Buffer sums = MakeBuffer(shares * places * size);
  const std::vector<T> nothing(std::max(inputs, outputs), Stored<T>(0.0f));
  ParallelFor(context, shares, of_share * places * size / 16, [&](int64_t first_share, int64_t last_share) {
    const auto shared_out = [&](int64_t items, int64_t cost, const auto& work) {
      if (shares == 1) ParallelFor(context, items, cost, work);
      else work(0, items);
    };
    const Buffer v = MakeBuffer(places * layout_x.place), above = MakeBuffer(places * layout_y.place);
    for (int64_t share = first_share; share < last_share; share++) {
      float* du = &sums[share * places * size];
      const int64_t start = share * of_share, stop = std::min(start + of_share, parts_y.count);
      for (int64_t first = start; first < stop; first += together) {
        const int64_t count = std::min(together, stop - first);
        shared_out(count, 10 * (inputs + outputs), [&](int64_t begin, int64_t end) {
          TransformParts<Way::Input, Way::kInput, side>(x.flat<T>().data(), nothing.data(), parts_x, inputs, first + begin, first + end, &v[begin * layout_x.block], layout_x);
          TransformParts<Way::OutputGradient, Way::kOutput, side>(dy.flat<T>().data(), nothing.data(), parts_y, outputs, first + begin, first + end, &above[begin * layout_y.block], layout_y);
        });
        shared_out(places, count * size / 16, [&](int64_t begin, int64_t end) {
          std::vector<float> scale_x(inputs), scale_y(outputs);
          for (int64_t place = begin; place < end; place++) {
            float* place_x = &v[place * layout_x.place];
            float* place_y = &above[place * layout_y.place];
            for (int64_t c = 0; c < inputs; c += kLanes) LayAlongParts<U>(place_x + c / kLanes * layout_x.blocks, count, kLanes, &scale_x[c]);
            for (int64_t k = 0; k < outputs; k += columns) LayAlongParts<U>(place_y + k / columns * layout_y.blocks, count, columns, &scale_y[k]);
            for (int64_t k = 0; k < outputs; k += columns)
              for (int64_t c = 0; c < inputs; c += kTileRows) {
                const Side<U> left{reinterpret_cast<const Product*>(place_x + c / kLanes * layout_x.blocks + c % kLanes), 1, kLanes, &scale_x[c]};
                const Side<U> right{reinterpret_cast<const Product*>(place_y + k / columns * layout_y.blocks), 1, columns, &scale_y[k]};
                Multiply<U>(first > start, columns, left, right, Quotient(count, neighbours), &du[place * size + c * outputs + k], outputs);
              }
          }
        });
      }
    }
  });
  ParallelFor(context, size / kLanes, 50 * shares, [&](int64_t begin, int64_t end) {
    for (int64_t item = begin * kLanes; item < end * kLanes; item += kLanes) {
      const auto sum_at = [&](int64_t i, int64_t j) {
        Lanes sum{};
        for (int64_t share = 0; share < shares; share++) sum += LoadLanes(&sums[(share * places + i * side + j) * size + item]);
        return sum;
      };
      TransformBoth<Way::FilterGradient, side, kFilter>(sum_at, [&](int64_t i, int64_t j, Lanes value) { StoreLanes(value, dw + (i * kFilter + j) * size + item); });
    }
  });
}

// Products are taken of values stored as U.
template <typename Way, typename U>
class WinogradFilterOp : public OpKernel {
 public:
  explicit WinogradFilterOp(OpKernelConstruction* c) : OpKernel(c), turned_(Attribute<bool>(c, "turned")) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& filter = context->input(0);
    const int64_t filter_inputs = filter.dim_size(2), filter_outputs = filter.dim_size(3);
    const int64_t inputs = turned_ ? filter_outputs : filter_inputs, outputs = turned_ ? filter_inputs : filter_outputs;
    Tensor *u = nullptr, *scale = nullptr;
    const int64_t of_product = sizeof(typename Products<U>::Product) / sizeof(U);
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({PlacesOf<Way>(), inputs * outputs / Products<U>::kNeighbours * of_product}), &u));
    OP_REQUIRES_OK(context, context->allocate_output(1, TensorShape({Products<U>::kScaled ? PlacesOf<Way>() : 0, outputs}), &scale));
    ParallelFor(context, outputs / kLanes, 10 * inputs * kLanes, [&](int64_t begin, int64_t end) {
      std::vector<float> taps(kTapCount * inputs * kLanes);
      for (int64_t first = begin * kLanes; first < end * kLanes; first += kLanes) {
        LayOutTaps(filter.flat<float>().data(), filter_inputs, filter_outputs, turned_, first, taps.data());
        TransformFilter<Way>(taps.data(), inputs, outputs, first, u->flat<U>().data(), scale->flat<float>().data());
      }
    });
  }

 private:
  const bool turned_;
};

template <typename Way, typename T, typename U>
class WinogradConvolveOp : public OpKernel {
 public:
  explicit WinogradConvolveOp(OpKernelConstruction* c) : OpKernel(c), rows_(IntegerList(c, "rows")), relu_(Attribute<bool>(c, "relu")) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    const Tensor& scale = context->input(2);
    if (!ShapesAgree(context, rows_, x)) return;
    Afterwards afterwards{nullptr, nullptr, FirstRows(rows_), relu_};
    if (context->num_inputs() > 3) {
      afterwards.gain = context->input(3).flat<float>().data();
      afterwards.bias = context->input(4).flat<float>().data();
    }
    const int64_t inputs = x.dim_size(3), outputs = scale.dim_size(1);
    const FilterParts<U> filter{context->input(1).flat<U>().data(), scale.flat<float>().data(), inputs, outputs};
    // The result's sides: kOutput positions for every kStep of the input.
    const Maps maps_y(x.dim_size(0), x.dim_size(1) / Way::kStep * Way::kOutput, x.dim_size(2) / Way::kStep * Way::kOutput);
    Tensor* y = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({maps_y.batch, maps_y.height, maps_y.width, outputs}), &y));
    const Parts parts_y = OutputParts<Way>(maps_y), parts_x = InputParts<Way>(Maps(x), parts_y);
    const int64_t together = PartsTogether<U>(PlacesOf<Way>(), inputs);
    ParallelFor(context, Quotient(parts_y.count, together), together * PlacesOf<Way>() * inputs * outputs / 16, [&](int64_t begin, int64_t end) {
      ConvolveParts<Way>(x.flat<T>().data(), parts_x, filter, afterwards, y->flat<T>().data(), parts_y, together, begin * together, std::min(end * together, parts_y.count));
    });
  }

 private:
  const std::vector<int64_t> rows_;
  const bool relu_;
};

template <typename Way, typename T, typename U>
class WinogradFilterGradientOp : public OpKernel {
 public:
  explicit WinogradFilterGradientOp(OpKernelConstruction* c) : OpKernel(c) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    const Tensor& dy = context->input(1);
    Tensor* dw = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({kFilter, kFilter, x.dim_size(3), dy.dim_size(3)}), &dw));
    FilterGradientOfParts<Way, U, T>(context, x, dy, dw->flat<float>().data());
  }
};

#define REGISTER_FILTER(name, Way, U) REGISTER_KERNEL_BUILDER(Name(name "Filter").Device(DEVICE_CPU).TypeConstraint<U>("U"), WinogradFilterOp<Way, U>)

// For values stored as T and products of U.
#define REGISTER_FOR_PRODUCTS(name, Op, Way, T, U) REGISTER_KERNEL_BUILDER(Name(name).Device(DEVICE_CPU).TypeConstraint<T>("T").TypeConstraint<U>("U"), Op<Way, T, U>)

#ifdef __AVX512VNNI__
#define REGISTER_INTEGER_FILTER(name, Way) REGISTER_FILTER(name, Way, int32_t)
#define REGISTER_FOR_INTEGERS(name, Op, Way) REGISTER_FOR_PRODUCTS(name, Op, Way, bfloat16, int32_t)
#else
#define REGISTER_INTEGER_FILTER(name, Way)
#define REGISTER_FOR_INTEGERS(name, Op, Way)
#endif

#define REGISTER_CONVOLUTION(name, Way)                                                                                                            \
  REGISTER_OP(name "Filter").Attr("U: {float, int32}").Attr("turned: bool").Input("filter: float").Output("u: U").Output("scale: float");          \
  REGISTER_OP(name "Convolve").Attr("T: {float, bfloat16}").Attr("U: {float, int32}").Attr("rows: list(int)").Attr("relu: bool").Attr("afterwards: int >= 0") \
      .Input("x: T").Input("u: U").Input("scale: float").Input("gain_and_bias: afterwards * float").Output("y: T"); \
  REGISTER_FILTER(name, Way, float);                                                                                                               \
  REGISTER_INTEGER_FILTER(name, Way);                                                                                                              \
  REGISTER_FOR_PRODUCTS(name "Convolve", WinogradConvolveOp, Way, float, float);                                                                   \
  REGISTER_FOR_PRODUCTS(name "Convolve", WinogradConvolveOp, Way, bfloat16, float);                                                                \
  REGISTER_FOR_INTEGERS(name "Convolve", WinogradConvolveOp, Way)

#define REGISTER_FILTER_GRADIENT(name, Way)                                                                                   \
  REGISTER_OP(name).Attr("T: {float, bfloat16}").Attr("U: {float, int32}").Input("x: T").Input("dy: T").Output("dw: float"); \
  REGISTER_FOR_PRODUCTS(name, WinogradFilterGradientOp, Way, float, float);                                                   \
  REGISTER_FOR_PRODUCTS(name, WinogradFilterGradientOp, Way, bfloat16, float);                                                \
  REGISTER_FOR_INTEGERS(name, WinogradFilterGradientOp, Way)

REGISTER_CONVOLUTION("CascadePieces", Pieces);
REGISTER_CONVOLUTION("CascadeWholeMap", WholeMap);
REGISTER_CONVOLUTION("CascadeStrided", Strided);
REGISTER_CONVOLUTION("CascadeStridedBack", StridedBack);
REGISTER_FILTER_GRADIENT("CascadePiecesFilterGradient", Pieces);
REGISTER_FILTER_GRADIENT("CascadeWholeMapFilterGradient", WholeMap);
REGISTER_FILTER_GRADIENT("CascadeStridedFilterGradient", Strided);

}  // namespace
}  // namespace cascade
