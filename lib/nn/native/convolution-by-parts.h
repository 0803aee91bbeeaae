// The 3x3 convolution, and its gradient by the input, in the ways of winograd.h. The filter is transformed by an operation
// of its own; of the map, as many parts as stay in the cache are transformed, multiplied and transformed back together,
// so that nothing in between is written to memory. Channels are a multiple of 16, which the callers see to.

#pragma once

#include "parts.h"
#include "products.h"

namespace cascade {
namespace {

constexpr int64_t kCachedBytes = 200 * 1024;  // of transformed parts that are worked on together

// Parts that a thread convolves together, in whole tiles: their transforms stay in its cache.
template <typename U>
int64_t PartsTogether(int64_t places, int64_t channels) {
  const int64_t bytes_of_tile = places * channels * kTileRows * sizeof(U) / Products<U>::kNeighbours;
  return std::max<int64_t>(1, kCachedBytes / bytes_of_tile) * kTileRows;
}

constexpr int64_t kTapCount = kFilter * kFilter;

// filter [3, 3, C, C'] -> taps [tap, C, kLanes], the outputs from `first` on; turned, for the gradient by the input, C and
// C' change places and the taps are mirrored.
inline void LayOutTaps(const float* filter, int64_t inputs, int64_t outputs, bool turned, int64_t first, float* taps) {
  for (int64_t tap = 0; tap < kTapCount; tap++) {
    if (!turned) {
      for (int64_t c = tap * inputs; c < (tap + 1) * inputs; c++) StoreLanes(LoadLanes(filter + c * outputs + first), taps + c * kLanes);
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
  TransformBoth<Way::Filter, kFilter, Way::kPlaces>(
      [&](int64_t i, int64_t j) { return LoadLanes(taps + ((i * kFilter + j) * depth + c) * kLanes); },
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
  const int64_t columns = TileColumns(outputs), units = depth / neighbours;
  U* to = u + first / columns * columns * units + first % columns;
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

// A transformed filter u [places, C' / columns, C / neighbours, columns], with columns those of a tile, and where U has
// scales those of [places, C'].
template <typename U>
struct FilterParts {
  const U* u;
  const float* scale;
  int64_t inputs, outputs;
};

// Transforms parts `begin` to `end` of x to left sides [parts, inputs] of products, a place `stride` after the other, and
// where U has scales these, a place `scale_stride` after the other. `transformed` [places, inputs] is room for one part.
template <typename Way, typename U, typename T>
void TransformInputs(const T* x, const T* nothing, const Parts& parts, int64_t inputs, int64_t begin, int64_t end, U* v,
                     int64_t stride, float* transformed, float* scale, int64_t scale_stride) {
  constexpr auto transform = TransformParts<Way::Input, Way::kInput, Way::kPlaces, T>;
  if constexpr (Products<U>::kScaled) {
    for (int64_t part = begin; part < end; part++, v += inputs / Products<U>::kNeighbours, scale++) {
      transform(x, nothing, parts, inputs, part, part + 1, transformed, Layout{inputs, inputs, 0});
      for (int64_t place = 0; place < PlacesOf<Way>(); place++)
        ToIntegers(transformed + place * inputs, inputs, v + place * stride, scale + place * scale_stride);
    }
  } else {
    transform(x, nothing, parts, inputs, begin, end, v, Layout{stride, inputs, 0});
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
    return relu ? (shifted < 0 ? Lanes{} : shifted) : shifted;  // what is not a number stays
  }
};

// y [N, H', W', C'] from x [N, H, W, C] and the filter, for parts `begin` to `end`.
template <typename Way, typename T, typename U>
void ConvolveParts(const T* x, const Parts& parts_x, const FilterParts<U>& filter, const Afterwards& afterwards, T* y,
                   const Parts& parts_y, int64_t together, int64_t begin, int64_t end) {
  constexpr int64_t side = Way::kPlaces, places = PlacesOf<Way>();
  const int64_t inputs = filter.inputs, outputs = filter.outputs;
  const int64_t columns = TileColumns(outputs), depth = inputs / Products<U>::kNeighbours;
  const int64_t v_stride = PlaceStride(together * depth), m_stride = PlaceStride(together * columns);
  const std::vector<T> nothing(inputs, Stored<T>(0.0f));
  std::vector<U> v(places * v_stride, 0);
  std::vector<float> m(places * m_stride), transformed(places * inputs), scale(places * together);
  for (int64_t first = begin; first < end; first += together) {
    const int64_t last = std::min(first + together, end), rows = RoundUp(last - first, kTileRows);
    TransformInputs<Way>(x, nothing.data(), parts_x, inputs, first, last, v.data(), v_stride, transformed.data(), scale.data(), together);
    for (int64_t k = 0; k < outputs; k += columns) {
      for (int64_t place = 0; place < places; place++) {
        const Side<U> b{filter.u + (place * outputs + k) * depth, 1, columns, filter.scale + place * outputs + k};
        for (int64_t row = 0; row < rows; row += kTileRows) {
          const Side<U> a{&v[place * v_stride + row * depth], depth, 1, &scale[place * together + row]};
          Multiply<U>(false, columns, a, b, depth, &m[place * m_stride + row * columns], columns);
        }
      }
      for (int64_t part = first; part < last; part++) {
        T* to = y + parts_y.At(part, parts_y.Top(part), parts_y.Left(part)) * outputs + k;
        const int64_t after = afterwards.gain == nullptr ? -1 : afterwards.StepOf(part / parts_y.of_image) * outputs + k;
        for (int64_t lane = 0; lane < columns; lane += kLanes) {
          const float* sums = &m[(part - first) * columns + lane];
          const auto sum_at = [&](int64_t i, int64_t j) { return LoadLanes(sums + (i * side + j) * m_stride); };
          const auto store = [&](int64_t i, int64_t j, Lanes value) {
            StoreLanes(value, to + (i * parts_y.maps.width + j) * outputs + lane);
          };
          if (after < 0) {
            TransformBoth<Way::Output, side, Way::kOutput>(sum_at, store);
          } else {
            const Lanes gain = LoadLanes(afterwards.gain + after + lane), bias = LoadLanes(afterwards.bias + after + lane);
            TransformBoth<Way::Output, side, Way::kOutput>(
                sum_at, [&](int64_t i, int64_t j, Lanes value) { store(i, j, afterwards.Of(value, gain, bias)); });
          }
        }
      }
    }
  }
}

template <typename Way, typename U>
class FilterPartsOp : public OpKernel {
 public:
  explicit FilterPartsOp(OpKernelConstruction* c) : OpKernel(c), turned_(Attribute<bool>(c, "turned")) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& filter = context->input(0);
    const int64_t filter_inputs = filter.dim_size(2), filter_outputs = filter.dim_size(3);
    const int64_t inputs = turned_ ? filter_outputs : filter_inputs, outputs = turned_ ? filter_inputs : filter_outputs;
    Tensor *u = nullptr, *scale = nullptr;
    const int64_t size = inputs / Products<U>::kNeighbours * outputs;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({PlacesOf<Way>(), size}), &u));
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
class ConvolvePartsOp : public OpKernel {
 public:
  explicit ConvolvePartsOp(OpKernelConstruction* c)
      : OpKernel(c), rows_(IntegerList(c, "rows")), relu_(Attribute<bool>(c, "relu")) {}

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
    const TensorShape shape_y({maps_y.batch, maps_y.height, maps_y.width, outputs});
    Tensor* y = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, shape_y, &y));
    const Parts parts_y = OutputParts<Way>(maps_y), parts_x = InputParts<Way>(Maps(x), parts_y);
    const int64_t together = PartsTogether<U>(PlacesOf<Way>(), inputs);
    const int64_t cost = together * PlacesOf<Way>() * inputs * outputs / 16;
    ParallelFor(context, Quotient(parts_y.count, together), cost, [&](int64_t begin, int64_t end) {
      ConvolveParts<Way>(x.flat<T>().data(), parts_x, filter, afterwards, y->flat<T>().data(), parts_y, together,
                         begin * together, std::min(end * together, parts_y.count));
    });
  }

 private:
  const std::vector<int64_t> rows_;
  const bool relu_;
};

#define REGISTER_FILTER(name, Way, U) \
  REGISTER_KERNEL_BUILDER(Name(name "Filter").Device(DEVICE_CPU).TypeConstraint<U>("U"), FilterPartsOp<Way, U>)

#ifdef __AVX512VNNI__
#define REGISTER_INTEGER_FILTER(name, Way) REGISTER_FILTER(name, Way, int32_t)
#else
#define REGISTER_INTEGER_FILTER(name, Way)
#endif

#define REGISTER_CONVOLUTION(name, Way)                                                                       \
  REGISTER_OP(name "Filter")                                                                                  \
      .Attr("U: {float, int32}").Attr("turned: bool")                                                         \
      .Input("filter: float").Output("u: U").Output("scale: float");                                          \
  REGISTER_OP(name "Convolve")                                                                                \
      .Attr("T: {float, bfloat16}").Attr("U: {float, int32}")                                                 \
      .Attr("rows: list(int)").Attr("relu: bool").Attr("afterwards: int >= 0")                                \
      .Input("x: T").Input("u: U").Input("scale: float").Input("gain_and_bias: afterwards * float").Output("y: T"); \
  REGISTER_FILTER(name, Way, float);                                                                          \
  REGISTER_INTEGER_FILTER(name, Way);                                                                         \
  REGISTER_BY_PARTS(name "Convolve", ConvolvePartsOp, Way)

REGISTER_CONVOLUTION("CascadePieces", Pieces);
REGISTER_CONVOLUTION("CascadeWholeMap", WholeMap);
REGISTER_CONVOLUTION("CascadeStrided", Strided);
REGISTER_CONVOLUTION("CascadeStridedBack", StridedBack);

}  // namespace
}  // namespace cascade
