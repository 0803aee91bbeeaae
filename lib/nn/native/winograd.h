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
// Values are stored as float or bfloat16. Products are taken of floats, or of bfloat16 where the transforms are mere sums:
// Winograd's would magnify the rounding tenfold. Channels are a multiple of 16, which the callers see to. Each sum is taken in the same order on any number of threads.

#pragma once

#include "common.h"

#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

namespace cascade {
namespace {

constexpr int64_t kFilter = 3;                                 // side of the filter
constexpr int64_t kTileRows = kLanes == 16 ? 8 : 4;            // a tile of a product stays in registers
constexpr int64_t kCachedValues = 150 * 1024 / sizeof(float);  // of transformed parts that are worked on together
constexpr int64_t kManySums = 128 * 128;                       // pairs of channels from which on a gradient's sums are many
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

// `transform` over both axes: in [from, from] -> out [to, to], [row][column].
template <auto transform, int64_t from, int64_t to>
inline void TransformBoth(const Lanes (&in)[from][from], Lanes (&out)[to][to]) {
  Lanes half[to][from];
#pragma GCC unroll 6
  for (int64_t j = 0; j < from; j++) {
    Lanes column[from], transformed[to];
#pragma GCC unroll 6
    for (int64_t i = 0; i < from; i++) column[i] = in[i][j];
    transform(column, transformed);
#pragma GCC unroll 6
    for (int64_t i = 0; i < to; i++) half[i][j] = transformed[i];
  }
#pragma GCC unroll 6
  for (int64_t i = 0; i < to; i++) transform(half[i], out[i]);
}

// What products are taken of: Product holds as many neighbours along the sum as one lane multiplies at once; Beside puts
// them there.
template <typename U>
struct Products;

template <>
struct Products<float> {
  using Product = float;
  static constexpr int64_t kNeighbours = 1;
  static Lanes Beside(const Lanes (&neighbours)[1]) { return neighbours[0]; }
  static Lanes Add(Lanes sum, float left, Lanes right) { return sum + left * right; }
};

#ifdef __AVX512BF16__
template <>
struct Products<bfloat16> {
  using Product = uint32_t;  // two bfloat16
  static constexpr int64_t kNeighbours = 2;
  static Lanes Beside(const Lanes (&neighbours)[2]) {
    return (Lanes)(Rounded(neighbours[0]) >> 16 | (Rounded(neighbours[1]) & 0xffff0000));
  }
  static Lanes Add(Lanes sum, uint32_t left, Lanes right) {
    return (Lanes)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32(static_cast<int>(left)), (__m512bh)right);
  }
};
#endif

// The lanes of a row of products' right sides.
template <typename Product>
inline Lanes LoadRight(const Product* from) {
  Lanes lanes;
  std::memcpy(&lanes, from, sizeof(lanes));
  return lanes;
}

// c [rows, columns] += (or = ) a b over `depth`, with rows and columns of one tile: a's element (r, k) is at
// a[r a_row + k a_depth], b [depth, columns] and c have rows b_stride and c_stride apart.
template <typename U, int registers, bool accumulate, typename Product = typename Products<U>::Product>
inline void MultiplyTile(const Product* __restrict a, int64_t a_row, int64_t a_depth, const Product* __restrict b, int64_t b_stride, int64_t depth, float* __restrict c, int64_t c_stride) {
  Lanes sum[kTileRows][registers];
  for (int64_t r = 0; r < kTileRows; r++)
    for (int64_t n = 0; n < registers; n++) sum[r][n] = accumulate ? LoadLanes(c + r * c_stride + n * kLanes) : Lanes{};
  for (int64_t k = 0; k < depth; k++) {
    Lanes right[registers];
    for (int64_t n = 0; n < registers; n++) right[n] = LoadRight(b + k * b_stride + n * kLanes);
    for (int64_t r = 0; r < kTileRows; r++) {
      const Product left = a[r * a_row + k * a_depth];
      for (int64_t n = 0; n < registers; n++) sum[r][n] = Products<U>::Add(sum[r][n], left, right[n]);
    }
  }
  for (int64_t r = 0; r < kTileRows; r++)
    for (int64_t n = 0; n < registers; n++) StoreLanes(sum[r][n], c + r * c_stride + n * kLanes);
}

// Columns of a tile: two registers where the channels allow it.
inline int64_t TileColumns(int64_t channels) { return channels % (2 * kLanes) == 0 ? 2 * kLanes : kLanes; }

template <typename U, bool accumulate, typename Product = typename Products<U>::Product>
void Multiply(int64_t columns, const Product* a, int64_t a_row, int64_t a_depth, const Product* b, int64_t b_stride, int64_t depth, float* c, int64_t c_stride) {
  if (columns == kLanes) MultiplyTile<U, 1, accumulate>(a, a_row, a_depth, b, b_stride, depth, c, c_stride);
  else MultiplyTile<U, 2, accumulate>(a, a_row, a_depth, b, b_stride, depth, c, c_stride);
}

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

// Transforms parts `begin` to `end` of map [N, H, W, C], side x side positions each and nothing outside the map, to v.
template <auto transform, int64_t side, int64_t place_side, typename T, typename U>
void TransformParts(const T* map, const Parts& parts, int64_t channels, int64_t begin, int64_t end, U* v, const Layout& layout) {
  const std::vector<T> nothing(channels, Stored<T>(0.0f));
  for (int64_t part = begin; part < end; part++) {
    const T* from[side][side];
    for (int64_t i = 0; i < side; i++)
      for (int64_t j = 0; j < side; j++) {
        const int64_t row = parts.Top(part) + i, column = parts.Left(part) + j;
        from[i][j] = parts.Inside(row, column) ? map + parts.At(part, row, column) * channels : nothing.data();
      }
    for (int64_t c = 0; c < channels; c += kLanes) {
      Lanes values[side][side], transformed[place_side][place_side];
      for (int64_t i = 0; i < side; i++)
        for (int64_t j = 0; j < side; j++) values[i][j] = LoadLanes(from[i][j] + c);
      TransformBoth<transform>(values, transformed);
      U* to = v + c / layout.block * layout.blocks + (part - begin) * layout.block + c % layout.block;
      for (int64_t place = 0; place < place_side * place_side; place++) StoreLanes(transformed[place / place_side][place % place_side], to + place * layout.place);
    }
  }
}

// From one place to the next: a power of two would put all places into the same set of the cache.
inline int64_t PlaceStride(int64_t values) { return values + kLanes; }

// Parts that a thread convolves together, in whole tiles: their transforms stay in its cache.
inline int64_t PartsTogether(int64_t places, int64_t channels) { return std::max<int64_t>(1, kCachedValues / (places * channels * kTileRows)) * kTileRows; }

// Parts that the gradient by the filter takes together: enough that fetching its many sums is worth while.
inline int64_t PartsOfGradient(int64_t inputs, int64_t outputs) { return std::max<int64_t>(64, inputs * outputs / 256); }

// y [N, H', W', C'] from x [N, H, W, C] and u of TransformFilter, for parts `begin` to `end`.
template <typename Way, typename T, typename U>
void ConvolveParts(const T* x, const Parts& parts_x, int64_t inputs, const U* u, T* y, const Parts& parts_y, int64_t outputs, int64_t together, int64_t begin, int64_t end) {
  using Product = typename Products<U>::Product;
  constexpr int64_t side = Way::kPlaces, places = PlacesOf<Way>(), neighbours = Products<U>::kNeighbours;
  const int64_t columns = TileColumns(outputs), depth = inputs / neighbours;
  const int64_t v_stride = PlaceStride(together * depth), m_stride = PlaceStride(together * columns);
  std::vector<Product> v(places * v_stride, 0);
  std::vector<float> m(places * m_stride);
  const Product* right = reinterpret_cast<const Product*>(u);
  for (int64_t first = begin; first < end; first += together) {
    const int64_t last = std::min(first + together, end), rows = RoundUp(last - first, kTileRows);
    TransformParts<Way::Input, Way::kInput, side>(x, parts_x, inputs, first, last, reinterpret_cast<U*>(v.data()), Layout{v_stride * neighbours, inputs, 0});
    for (int64_t k = 0; k < outputs; k += columns) {
      for (int64_t place = 0; place < places; place++)
        for (int64_t row = 0; row < rows; row += kTileRows)
          Multiply<U, false>(columns, &v[place * v_stride + row * depth], depth, 1, right + (place * outputs + k) * depth, columns, depth, &m[place * m_stride + row * columns], columns);
      for (int64_t part = first; part < last; part++) {
        T* to = y + parts_y.At(part, parts_y.Top(part), parts_y.Left(part)) * outputs + k;
        for (int64_t lane = 0; lane < columns; lane += kLanes) {
          Lanes products[side][side], results[Way::kOutput][Way::kOutput];
          for (int64_t place = 0; place < places; place++) products[place / side][place % side] = LoadLanes(&m[place * m_stride + (part - first) * columns + lane]);
          TransformBoth<Way::Output>(products, results);
          for (int64_t i = 0; i < Way::kOutput; i++)
            for (int64_t j = 0; j < Way::kOutput; j++) StoreLanes(results[i][j], to + (i * parts_y.maps.width + j) * outputs + lane);
        }
      }
    }
  }
}

// filter [3, 3, C, C'] -> u [places, C' / columns, C, columns], with columns those of a tile and neighbours along C side by
// side; turned, for the gradient by the input, C and C' change places and the taps are mirrored. For channels `begin` to
// `end` of C, in units of neighbours.
template <typename Way, typename U>
void TransformFilter(const float* filter, int64_t inputs, int64_t outputs, bool turned, int64_t begin, int64_t end, U* u) {
  constexpr int64_t side = Way::kPlaces, neighbours = Products<U>::kNeighbours;
  using Product = typename Products<U>::Product;
  const int64_t size = inputs * outputs, depth = (turned ? outputs : inputs) / neighbours, columns = TileColumns(turned ? inputs : outputs);
  for (int64_t c = begin * neighbours; c < end * neighbours; c += neighbours)
    for (int64_t k = 0; k < outputs; k += kLanes) {
      Lanes transformed[neighbours][side][side];
      for (int64_t n = 0; n < neighbours; n++) {
        Lanes taps[kFilter][kFilter];
        for (int64_t i = 0; i < kFilter; i++)
          for (int64_t j = 0; j < kFilter; j++) taps[i][j] = LoadLanes(filter + (turned ? (kFilter - 1 - i) * kFilter + kFilter - 1 - j : i * kFilter + j) * size + (c + n) * outputs + k);
        TransformBoth<Way::Filter>(taps, transformed[n]);
      }
      for (int64_t place = 0; place < side * side; place++) {
        Lanes values[neighbours];
        for (int64_t n = 0; n < neighbours; n++) values[n] = transformed[n][place / side][place % side];
        Product* to = reinterpret_cast<Product*>(u + place * size);
        if (turned) {
          for (int64_t n = 0; n < neighbours; n++) {
            U stored[kLanes];
            StoreLanes(values[n], stored);
            Product* column = to + (c + n) / columns * columns * depth + k / neighbours * columns + (c + n) % columns;
            for (int64_t lane = 0; lane < kLanes; lane += neighbours) std::memcpy(column + lane / neighbours * columns, stored + lane, sizeof(Product));
          }
        } else {
          const Lanes row = Products<U>::Beside(values);
          std::memcpy(to + k / columns * columns * depth + c / neighbours * columns + k % columns, &row, sizeof(row));
        }
      }
    }
}

// dw [3, 3, C, C'] from x [N, H, W, C] and dy [N, H', W', C']: the sums of each place, transformed back.
//
// Few sums are kept several times over, so that the threads work on parts of their own, each in its cache; with many the
// threads share out the places instead. How many depends on the shape alone.
template <typename Way, typename T>
void FilterGradientOfParts(OpKernelContext* context, const Tensor& x, const Tensor& dy, float* dw) {
  constexpr int64_t side = Way::kPlaces, places = PlacesOf<Way>();
  const Parts parts_y = OutputParts<Way>(Maps(dy)), parts_x = InputParts<Way>(Maps(x), parts_y);
  const int64_t inputs = x.dim_size(3), outputs = dy.dim_size(3), size = inputs * outputs, columns = TileColumns(outputs);
  const int64_t shares = size <= kManySums ? kShares : 1, of_share = (parts_y.count + shares - 1) / shares;
  const int64_t together = std::min(PartsOfGradient(inputs, outputs), of_share);
  // The product runs along the parts, so that a tile's channels of all parts lie side by side.
  const Layout layout_x{PlaceStride(together * inputs), kLanes, together * kLanes}, layout_y{PlaceStride(together * outputs), columns, together * columns};
  std::vector<float> sums(shares * places * size, 0.0f);
  ParallelFor(context, shares, of_share * places * size / 16, [&](int64_t first_share, int64_t last_share) {
    const auto shared_out = [&](int64_t items, int64_t cost, const auto& work) {
      if (shares == 1) ParallelFor(context, items, cost, work);
      else work(0, items);
    };
    std::vector<float> v(places * layout_x.place), above(places * layout_y.place);
    for (int64_t share = first_share; share < last_share; share++) {
      float* du = &sums[share * places * size];
      const int64_t stop = std::min((share + 1) * of_share, parts_y.count);
      for (int64_t first = share * of_share; first < stop; first += together) {
        const int64_t count = std::min(together, stop - first);
        shared_out(count, 10 * (inputs + outputs), [&](int64_t begin, int64_t end) {
          TransformParts<Way::Input, Way::kInput, side>(x.flat<T>().data(), parts_x, inputs, first + begin, first + end, &v[begin * layout_x.block], layout_x);
          TransformParts<Way::OutputGradient, Way::kOutput, side>(dy.flat<T>().data(), parts_y, outputs, first + begin, first + end, &above[begin * layout_y.block], layout_y);
        });
        shared_out(places, count * size / 16, [&](int64_t begin, int64_t end) {
          for (int64_t place = begin; place < end; place++)
            for (int64_t k = 0; k < outputs; k += columns)
              for (int64_t c = 0; c < inputs; c += kTileRows) {
                const float* left = &v[place * layout_x.place + c / kLanes * layout_x.blocks + c % kLanes];
                const float* right = &above[place * layout_y.place + k / columns * layout_y.blocks];
                Multiply<float, true>(columns, left, 1, kLanes, right, columns, count, &du[place * size + c * outputs + k], outputs);
              }
        });
      }
    }
  });
  ParallelFor(context, size / kLanes, 50 * shares, [&](int64_t begin, int64_t end) {
    for (int64_t item = begin * kLanes; item < end * kLanes; item += kLanes) {
      Lanes products[side][side], taps[kFilter][kFilter];
      for (int64_t place = 0; place < places; place++) {
        Lanes sum{};
        for (int64_t share = 0; share < shares; share++) sum += LoadLanes(&sums[(share * places + place) * size + item]);
        products[place / side][place % side] = sum;
      }
      TransformBoth<Way::FilterGradient>(products, taps);
      for (int64_t tap = 0; tap < kFilter * kFilter; tap++) StoreLanes(taps[tap / kFilter][tap % kFilter], dw + tap * size + item);
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
    const int64_t inputs = filter.dim_size(2), outputs = filter.dim_size(3);
    Tensor* u = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({PlacesOf<Way>(), inputs * outputs}), &u));
    ParallelFor(context, inputs / Products<U>::kNeighbours, 10 * outputs, [&](int64_t begin, int64_t end) {
      TransformFilter<Way>(filter.flat<float>().data(), inputs, outputs, turned_, begin, end, u->flat<U>().data());
    });
  }

 private:
  const bool turned_;
};

template <typename Way, typename T, typename U>
class WinogradConvolveOp : public OpKernel {
 public:
  explicit WinogradConvolveOp(OpKernelConstruction* c) : OpKernel(c) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    const Tensor& u = context->input(1);
    const int64_t inputs = x.dim_size(3), outputs = u.dim_size(1) / inputs;
    // The result's sides: kOutput positions for every kStep of the input.
    const Maps maps_y(x.dim_size(0), x.dim_size(1) / Way::kStep * Way::kOutput, x.dim_size(2) / Way::kStep * Way::kOutput);
    Tensor* y = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({maps_y.batch, maps_y.height, maps_y.width, outputs}), &y));
    const Parts parts_y = OutputParts<Way>(maps_y), parts_x = InputParts<Way>(Maps(x), parts_y);
    const int64_t together = PartsTogether(PlacesOf<Way>(), inputs);
    ParallelFor(context, (parts_y.count + together - 1) / together, together * PlacesOf<Way>() * inputs * outputs / 16, [&](int64_t begin, int64_t end) {
      ConvolveParts<Way>(x.flat<T>().data(), parts_x, inputs, u.flat<U>().data(), y->flat<T>().data(), parts_y, outputs, together, begin * together, std::min(end * together, parts_y.count));
    });
  }
};

template <typename Way, typename T>
class WinogradFilterGradientOp : public OpKernel {
 public:
  explicit WinogradFilterGradientOp(OpKernelConstruction* c) : OpKernel(c) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    const Tensor& dy = context->input(1);
    Tensor* dw = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({kFilter, kFilter, x.dim_size(3), dy.dim_size(3)}), &dw));
    FilterGradientOfParts<Way, T>(context, x, dy, dw->flat<float>().data());
  }
};

#define REGISTER_PRODUCTS(name, Way, U)                                                                                                                   \
  REGISTER_KERNEL_BUILDER(Name(name "Filter").Device(DEVICE_CPU).TypeConstraint<U>("U"), WinogradFilterOp<Way, U>);                                       \
  REGISTER_KERNEL_BUILDER(Name(name "Convolve").Device(DEVICE_CPU).TypeConstraint<float>("T").TypeConstraint<U>("U"), WinogradConvolveOp<Way, float, U>); \
  REGISTER_KERNEL_BUILDER(Name(name "Convolve").Device(DEVICE_CPU).TypeConstraint<bfloat16>("T").TypeConstraint<U>("U"), WinogradConvolveOp<Way, bfloat16, U>)

#define REGISTER_CONVOLUTION(name, Way)                                                                                                        \
  REGISTER_OP(name "Filter").Attr("U: {float, bfloat16}").Attr("turned: bool").Input("filter: float").Output("u: U");                          \
  REGISTER_OP(name "Convolve").Attr("T: {float, bfloat16}").Attr("U: {float, bfloat16}").Input("x: T").Input("u: U").Output("y: T");           \
  REGISTER_PRODUCTS(name, Way, float)

#define REGISTER_FILTER_GRADIENT(name, Way)                                                                                                    \
  REGISTER_OP(name).Attr("T: {float, bfloat16}").Input("x: T").Input("dy: T").Output("dw: float");                                             \
  REGISTER_KERNEL_BUILDER(Name(name).Device(DEVICE_CPU).TypeConstraint<float>("T"), WinogradFilterGradientOp<Way, float>);                      \
  REGISTER_KERNEL_BUILDER(Name(name).Device(DEVICE_CPU).TypeConstraint<bfloat16>("T"), WinogradFilterGradientOp<Way, bfloat16>)

REGISTER_CONVOLUTION("CascadePieces", Pieces);
REGISTER_CONVOLUTION("CascadeWholeMap", WholeMap);
REGISTER_CONVOLUTION("CascadeStrided", Strided);
REGISTER_CONVOLUTION("CascadeStridedBack", StridedBack);
#ifdef __AVX512BF16__
REGISTER_PRODUCTS("CascadeWholeMap", WholeMap, bfloat16);
REGISTER_PRODUCTS("CascadeStrided", Strided, bfloat16);
REGISTER_PRODUCTS("CascadeStridedBack", StridedBack, bfloat16);
#endif
REGISTER_FILTER_GRADIENT("CascadePiecesFilterGradient", Pieces);
REGISTER_FILTER_GRADIENT("CascadeWholeMapFilterGradient", WholeMap);
REGISTER_FILTER_GRADIENT("CascadeStridedFilterGradient", Strided);

}  // namespace
}  // namespace cascade
