// The 3x3 convolution of stride 1 and its gradients with fewer products than the sum over nine taps takes,
//
//     Y = A^T [(G g G^T) (B^T d B)] A,  d a piece of the input, g the 3x3 filter, Y the outputs of the piece
//
// for each pair of channels: d and g are transformed, multiplied place by place and summed over the input channels, and
// the sums transformed back. Two ways, by the size of the map:
//
//   Pieces      after Winograd (Lavin and Gray 2016): 4x4 outputs from a 6x6 piece with 36 products in place of 144. B, G
//               and A follow from the interpolation of a polynomial at 0, ±a, ±b and infinity. The customary a = 1, b = 2
//               is not the most exact: 3/4 and 3/2 halve the rounding error, and every constant of B and A is exact.
//   WholeMap    a 2x2 map, around which all is zero: 9 products in place of 36 (16 without those by zero). In one
//               dimension y0 = g1 x0 + g2 x1 and y1 = g0 x0 + g1 x1 share the product g1 (x0 + x1).
//
// Values are stored as float or bfloat16 and multiplied as float. Channels are a multiple of 16, which the callers see
// to. Each sum is taken in the same order on any number of threads.

#pragma once

#include "common.h"

namespace cascade {
namespace {

constexpr int64_t kFilter = 3;                                 // side of the filter
constexpr int64_t kTileRows = kLanes == 16 ? 8 : 4;            // a tile of a product stays in registers
constexpr int64_t kCachedValues = 300 * 1024 / sizeof(float);  // of transformed pieces that are worked on together

struct Pieces {
  static constexpr int64_t kInput = 6, kPlaces = 6, kOutput = 4;  // sides of d, of the products, and of Y
  static constexpr int64_t kReach = 1;                            // d begins so far before Y

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
  static constexpr int64_t kInput = 2, kPlaces = 3, kOutput = 2, kReach = 0;

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

template <typename Way>
constexpr int64_t PlacesOf() { return Way::kPlaces * Way::kPlaces; }

// `transform` over both axes: in [from, from] -> out [to, to], [row][column].
template <int64_t from, int64_t to, typename Transform>
void TransformBoth(const Lanes (&in)[from][from], const Transform& transform, Lanes (&out)[to][to]) {
  Lanes half[to][from];
  for (int64_t j = 0; j < from; j++) {
    Lanes column[from], transformed[to];
    for (int64_t i = 0; i < from; i++) column[i] = in[i][j];
    transform(column, transformed);
    for (int64_t i = 0; i < to; i++) half[i][j] = transformed[i];
  }
  for (int64_t i = 0; i < to; i++) transform(half[i], out[i]);
}

// c [rows, columns] += (or = ) a b over `depth`, with rows and columns of one tile: a's element (r, k) is at
// a[r a_row + k a_depth], b [depth, columns] and c have rows b_stride and c_stride apart.
template <int registers, bool accumulate>
inline void MultiplyTile(const float* __restrict a, int64_t a_row, int64_t a_depth, const float* __restrict b, int64_t b_stride, int64_t depth, float* __restrict c, int64_t c_stride) {
  Lanes sum[kTileRows][registers];
  for (int64_t r = 0; r < kTileRows; r++)
    for (int64_t n = 0; n < registers; n++) sum[r][n] = accumulate ? LoadLanes(c + r * c_stride + n * kLanes) : Lanes{};
  for (int64_t k = 0; k < depth; k++) {
    Lanes right[registers];
    for (int64_t n = 0; n < registers; n++) right[n] = LoadLanes(b + k * b_stride + n * kLanes);
    for (int64_t r = 0; r < kTileRows; r++) {
      const float left = a[r * a_row + k * a_depth];
      for (int64_t n = 0; n < registers; n++) sum[r][n] += left * right[n];
    }
  }
  for (int64_t r = 0; r < kTileRows; r++)
    for (int64_t n = 0; n < registers; n++) StoreLanes(sum[r][n], c + r * c_stride + n * kLanes);
}

// Columns of a tile: two registers where the channels allow it.
inline int64_t TileColumns(int64_t channels) { return channels % (2 * kLanes) == 0 ? 2 * kLanes : kLanes; }

template <bool accumulate>
void Multiply(int64_t columns, const float* a, int64_t a_row, int64_t a_depth, const float* b, int64_t b_stride, int64_t depth, float* c, int64_t c_stride) {
  if (columns == kLanes) MultiplyTile<1, accumulate>(a, a_row, a_depth, b, b_stride, depth, c, c_stride);
  else MultiplyTile<2, accumulate>(a, a_row, a_depth, b, b_stride, depth, c, c_stride);
}

// How the maps [N, H, W] are parted.
template <typename Way>
struct Parts {
  explicit Parts(const Tensor& x)
      : batch(x.dim_size(0)), height(x.dim_size(1)), width(x.dim_size(2)), rows((height + Way::kOutput - 1) / Way::kOutput),
        columns((width + Way::kOutput - 1) / Way::kOutput), count(batch * rows * columns) {}

  // Where in the maps a part's outputs begin.
  struct Place { int64_t image, top, left; };
  Place At(int64_t part) const { return {part / (rows * columns), part / columns % rows * Way::kOutput, part % columns * Way::kOutput}; }

  const int64_t batch, height, width, rows, columns, count;
};

// The side x side values of map [N, H, W, C] from `reach` before a part's outputs on, channels c to c + kLanes; nothing
// outside.
template <int64_t side, typename Way, typename T>
inline void LoadPart(const T* map, const Parts<Way>& parts, int64_t channels, const typename Parts<Way>::Place& place, int64_t reach, int64_t c, Lanes (&values)[side][side]) {
  for (int64_t i = 0; i < side; i++)
    for (int64_t j = 0; j < side; j++) {
      const int64_t row = place.top - reach + i, column = place.left - reach + j;
      const bool inside = row >= 0 && row < parts.height && column >= 0 && column < parts.width;
      values[i][j] = inside ? LoadLanes(map + ((place.image * parts.height + row) * parts.width + column) * channels + c) : Lanes{};
    }
}

// Transforms parts `begin` to `end` of map [N, H, W, C] to v [places, parts, C], the places `stride` values apart.
template <int64_t side, typename Way, typename T, typename Transform>
void TransformParts(const T* map, const Parts<Way>& parts, int64_t channels, int64_t begin, int64_t end, int64_t reach, const Transform& transform, float* v, int64_t stride) {
  for (int64_t part = begin; part < end; part++)
    for (int64_t c = 0; c < channels; c += kLanes) {
      Lanes values[side][side], transformed[Way::kPlaces][Way::kPlaces];
      LoadPart(map, parts, channels, parts.At(part), reach, c, values);
      TransformBoth(values, transform, transformed);
      float* to = v + (part - begin) * channels + c;
      for (int64_t place = 0; place < PlacesOf<Way>(); place++) StoreLanes(transformed[place / Way::kPlaces][place % Way::kPlaces], to + place * stride);
    }
}

// From one place to the next: a power of two would put all places into the same set of the cache.
inline int64_t PlaceStride(int64_t values) { return values + kLanes; }

// Parts that a thread convolves together, in whole tiles: their transforms stay in its cache.
inline int64_t PartsTogether(int64_t places, int64_t channels) { return std::max<int64_t>(1, kCachedValues / (places * channels * kTileRows)) * kTileRows; }

// Parts that the gradient by the filter takes together: enough that fetching its many sums is worth while.
inline int64_t PartsOfGradient(int64_t inputs, int64_t outputs) { return std::max<int64_t>(64, inputs * outputs / 256); }

// y [N, H, W, C'] from x [N, H, W, C] and u of WinogradFilter, for parts `begin` to `end`.
template <typename Way, typename T>
void ConvolveParts(const T* x, const float* u, const Parts<Way>& parts, int64_t inputs, int64_t outputs, int64_t together, int64_t begin, int64_t end, T* y) {
  constexpr int64_t side = Way::kPlaces, places = PlacesOf<Way>();
  const int64_t columns = TileColumns(outputs), v_stride = PlaceStride(together * inputs), m_stride = PlaceStride(together * columns);
  std::vector<float> v(places * v_stride, 0.0f), m(places * m_stride);
  for (int64_t first = begin; first < end; first += together) {
    const int64_t last = std::min(first + together, end), rows = (last - first + kTileRows - 1) / kTileRows * kTileRows;
    TransformParts<Way::kInput>(x, parts, inputs, first, last, Way::kReach, Way::Input, v.data(), v_stride);
    for (int64_t k = 0; k < outputs; k += columns) {
      for (int64_t place = 0; place < places; place++)
        for (int64_t row = 0; row < rows; row += kTileRows)
          Multiply<false>(columns, &v[place * v_stride + row * inputs], inputs, 1, u + (place * outputs + k) * inputs, columns, inputs, &m[place * m_stride + row * columns], columns);
      for (int64_t part = first; part < last; part++) {
        const auto at = parts.At(part);
        for (int64_t lane = 0; lane < columns; lane += kLanes) {
          Lanes products[side][side], results[Way::kOutput][Way::kOutput];
          for (int64_t place = 0; place < places; place++) products[place / side][place % side] = LoadLanes(&m[place * m_stride + (part - first) * columns + lane]);
          TransformBoth(products, Way::Output, results);
          for (int64_t i = 0; i < std::min(Way::kOutput, parts.height - at.top); i++)
            for (int64_t j = 0; j < std::min(Way::kOutput, parts.width - at.left); j++)
              StoreLanes(results[i][j], y + ((at.image * parts.height + at.top + i) * parts.width + at.left + j) * outputs + k + lane);
        }
      }
    }
  }
}

// filter [3, 3, C, C'] -> u [places, C' / columns, C, columns], with columns those of a tile; turned, for the gradient by
// the input, C and C' change places and the taps are mirrored.
template <typename Way>
void TransformFilter(const float* filter, int64_t inputs, int64_t outputs, bool turned, int64_t begin, int64_t end, float* u) {
  constexpr int64_t side = Way::kPlaces;
  const int64_t size = inputs * outputs, depth = turned ? outputs : inputs, columns = TileColumns(turned ? inputs : outputs);
  for (int64_t c = begin; c < end; c++)
    for (int64_t k = 0; k < outputs; k += kLanes) {
      Lanes taps[kFilter][kFilter], transformed[side][side];
      for (int64_t i = 0; i < kFilter; i++)
        for (int64_t j = 0; j < kFilter; j++) taps[i][j] = LoadLanes(filter + (turned ? (kFilter - 1 - i) * kFilter + kFilter - 1 - j : i * kFilter + j) * size + c * outputs + k);
      TransformBoth(taps, Way::Filter, transformed);
      for (int64_t place = 0; place < side * side; place++) {
        const Lanes values = transformed[place / side][place % side];
        float* to = u + place * size;
        if (turned) {
          to += c / columns * columns * depth + k * columns + c % columns;
          for (int64_t lane = 0; lane < kLanes; lane++) to[lane * columns] = values[lane];
        } else {
          StoreLanes(values, to + k / columns * columns * depth + c * columns + k % columns);
        }
      }
    }
}

// dw [3, 3, C, C'] from x [N, H, W, C] and dy [N, H, W, C'].
template <typename Way, typename T>
void FilterGradientOfParts(OpKernelContext* context, const Tensor& x, const Tensor& dy, float* dw) {
  constexpr int64_t side = Way::kPlaces, places = PlacesOf<Way>();
  const Parts<Way> parts(x);
  const int64_t inputs = x.dim_size(3), outputs = dy.dim_size(3), size = inputs * outputs;
  const int64_t together = std::min(PartsOfGradient(inputs, outputs), parts.count);
  const int64_t v_stride = PlaceStride(together * inputs), above_stride = PlaceStride(together * outputs);
  std::vector<float> v(places * v_stride), above(places * above_stride), du(places * size, 0.0f);
  for (int64_t first = 0; first < parts.count; first += together) {
    const int64_t count = std::min(together, parts.count - first);
    ParallelFor(context, count, 10 * (inputs + outputs), [&](int64_t begin, int64_t end) {
      TransformParts<Way::kInput>(x.flat<T>().data(), parts, inputs, first + begin, first + end, Way::kReach, Way::Input, &v[begin * inputs], v_stride);
      TransformParts<Way::kOutput>(dy.flat<T>().data(), parts, outputs, first + begin, first + end, 0, Way::OutputGradient, &above[begin * outputs], above_stride);
    });
    ParallelFor(context, places, count * size / 16, [&](int64_t begin, int64_t end) {
      const int64_t columns = TileColumns(outputs);
      for (int64_t place = begin; place < end; place++)
        for (int64_t k = 0; k < outputs; k += columns)
          for (int64_t c = 0; c < inputs; c += kTileRows)
            Multiply<true>(columns, &v[place * v_stride + c], 1, inputs, &above[place * above_stride + k], outputs, count, &du[place * size + c * outputs + k], outputs);
    });
  }
  ParallelFor(context, size / kLanes, 50, [&](int64_t begin, int64_t end) {
    for (int64_t item = begin * kLanes; item < end * kLanes; item += kLanes) {
      Lanes products[side][side], taps[kFilter][kFilter];
      for (int64_t place = 0; place < places; place++) products[place / side][place % side] = LoadLanes(&du[place * size + item]);
      TransformBoth(products, Way::FilterGradient, taps);
      for (int64_t tap = 0; tap < kFilter * kFilter; tap++) StoreLanes(taps[tap / kFilter][tap % kFilter], dw + tap * size + item);
    }
  });
}

template <typename Way>
class WinogradFilterOp : public OpKernel {
 public:
  explicit WinogradFilterOp(OpKernelConstruction* c) : OpKernel(c), turned_(Attribute<bool>(c, "turned")) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& filter = context->input(0);
    const int64_t inputs = filter.dim_size(2), outputs = filter.dim_size(3);
    Tensor* u = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({PlacesOf<Way>(), inputs * outputs}), &u));
    ParallelFor(context, inputs, 10 * outputs, [&](int64_t begin, int64_t end) {
      TransformFilter<Way>(filter.flat<float>().data(), inputs, outputs, turned_, begin, end, u->flat<float>().data());
    });
  }

 private:
  const bool turned_;
};

template <typename Way, typename T>
class WinogradConvolveOp : public OpKernel {
 public:
  explicit WinogradConvolveOp(OpKernelConstruction* c) : OpKernel(c) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    const Tensor& u = context->input(1);
    const Parts<Way> parts(x);
    const int64_t inputs = x.dim_size(3), outputs = u.dim_size(1) / inputs;
    Tensor* y = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({parts.batch, parts.height, parts.width, outputs}), &y));
    const int64_t together = PartsTogether(PlacesOf<Way>(), inputs);
    ParallelFor(context, (parts.count + together - 1) / together, together * PlacesOf<Way>() * inputs * outputs / 16, [&](int64_t begin, int64_t end) {
      ConvolveParts(x.flat<T>().data(), u.flat<float>().data(), parts, inputs, outputs, together, begin * together, std::min(end * together, parts.count), y->flat<T>().data());
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

#define CASCADE_WINOGRAD_OPERATIONS(name, Way)                                                                         \
  REGISTER_OP(name "Filter").Attr("turned: bool").Input("filter: float").Output("u: float");                           \
  REGISTER_OP(name "Convolve").Attr("T: {float, bfloat16}").Input("x: T").Input("u: float").Output("y: T");            \
  REGISTER_OP(name "FilterGradient").Attr("T: {float, bfloat16}").Input("x: T").Input("dy: T").Output("dw: float");    \
  REGISTER_KERNEL_BUILDER(Name(name "Filter").Device(DEVICE_CPU), WinogradFilterOp<Way>);                              \
  REGISTER_KERNEL_BUILDER(Name(name "Convolve").Device(DEVICE_CPU).TypeConstraint<float>("T"), WinogradConvolveOp<Way, float>);       \
  REGISTER_KERNEL_BUILDER(Name(name "Convolve").Device(DEVICE_CPU).TypeConstraint<bfloat16>("T"), WinogradConvolveOp<Way, bfloat16>); \
  REGISTER_KERNEL_BUILDER(Name(name "FilterGradient").Device(DEVICE_CPU).TypeConstraint<float>("T"), WinogradFilterGradientOp<Way, float>);      \
  REGISTER_KERNEL_BUILDER(Name(name "FilterGradient").Device(DEVICE_CPU).TypeConstraint<bfloat16>("T"), WinogradFilterGradientOp<Way, bfloat16>)

CASCADE_WINOGRAD_OPERATIONS("CascadePieces", Pieces);
CASCADE_WINOGRAD_OPERATIONS("CascadeWholeMap", WholeMap);

}  // namespace
}  // namespace cascade
