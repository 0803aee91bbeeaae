// The filter gradient of a 3x3 convolution of bfloat16 values, summed in float:
//
//     dw[i, j, c, k] = sum over n, row, column of x[n, s row + i - 1, s column + j - 1, c] dy[n, row, column, k]
//
// with s the stride. The processor multiplies pairs of bfloat16 and adds them to a float in one instruction, so x and
// dy are laid out in pairs of neighbouring columns, once for each j, and the sum over the pairs is a matrix product
// held in registers. TensorFlow's own runs at half the speed here. Each sum is taken in the same order on any number
// of threads: these share out the input channels.

#pragma once

#include "common.h"

#ifdef __AVX512BF16__
#include <immintrin.h>

namespace cascade {
namespace {

constexpr int64_t kTaps = 3;
constexpr int64_t kLanes = 16;          // floats of a register
constexpr int64_t kInputTile = 8;       // input channels and
constexpr int64_t kOutputTile = 3;      // registers of output channels summed together
constexpr int64_t kInputsPerItem = 32;  // input channels that one thread lays out and works through
constexpr int64_t kPairsPerPiece = 128; // pairs of columns laid out together: they stay in the cache

inline int64_t RoundUp(int64_t value, int64_t to) { return (value + to - 1) / to * to; }

// Sums of kInputTile x (registers kLanes) products over `pairs`; x [pairs, x_stride] and dy [pairs, dy_stride] hold
// pairs of bfloat16 in 32 bits, so the strides count those.
template <int registers>
void AddProducts(const uint32_t* x, int64_t x_stride, const uint32_t* dy, int64_t dy_stride, int64_t pairs, float* sums, int64_t sums_stride) {
  __m512 sum[kInputTile][registers];
  for (int c = 0; c < kInputTile; c++)
    for (int r = 0; r < registers; r++) sum[c][r] = _mm512_loadu_ps(sums + c * sums_stride + r * kLanes);
  for (int64_t p = 0; p < pairs; p++, x += x_stride, dy += dy_stride) {
    __m512bh above[registers];
    for (int r = 0; r < registers; r++) above[r] = (__m512bh)_mm512_loadu_si512(dy + r * kLanes);
    for (int c = 0; c < kInputTile; c++) {
      const __m512bh value = (__m512bh)_mm512_set1_epi32(static_cast<int>(x[c]));
      for (int r = 0; r < registers; r++) sum[c][r] = _mm512_dpbf16_ps(sum[c][r], value, above[r]);
    }
  }
  for (int c = 0; c < kInputTile; c++)
    for (int r = 0; r < registers; r++) _mm512_storeu_ps(sums + c * sums_stride + r * kLanes, sum[c][r]);
}

struct Shape {
  Shape(const Tensor& x, const Tensor& dy, int64_t stride)
      : batch(x.dim_size(0)), height(x.dim_size(1)), width(x.dim_size(2)), inputs(x.dim_size(3)), out_height(dy.dim_size(1)), out_width(dy.dim_size(2)),
        outputs(dy.dim_size(3)), stride(stride), pairs_per_row((out_width + 1) / 2), outputs_padded(RoundUp(outputs, kLanes)) {}
  const int64_t batch, height, width, inputs, out_height, out_width, outputs, stride, pairs_per_row, outputs_padded;
};

inline uint32_t Bits(const bfloat16* value) {
  uint16_t bits;
  std::memcpy(&bits, value, sizeof(bits));
  return bits;
}

// Lays two rows of values, or nothing where one lies outside, out as pairs.
inline void Interleave(const bfloat16* first, const bfloat16* second, int64_t count, int64_t padded, uint32_t* to) {
  if (first != nullptr && second != nullptr)
    for (int64_t c = 0; c < count; c++) to[c] = Bits(first + c) | Bits(second + c) << 16;
  else if (first != nullptr)
    for (int64_t c = 0; c < count; c++) to[c] = Bits(first + c);
  else if (second != nullptr)
    for (int64_t c = 0; c < count; c++) to[c] = Bits(second + c) << 16;
  else
    std::memset(to, 0, count * sizeof(uint32_t));
  if (padded > count) std::memset(to + count, 0, (padded - count) * sizeof(uint32_t));
}

class FilterGradientOp : public OpKernel {
 public:
  explicit FilterGradientOp(OpKernelConstruction* c) : OpKernel(c), stride_(Attribute<int64_t>(c, "stride")) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    const Tensor& dy = context->input(1);
    const Shape s(x, dy, stride_);
    Tensor* dw = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({kTaps, kTaps, s.inputs, s.outputs}), &dw));
    const bfloat16* values = x.flat<bfloat16>().data();
    const bfloat16* above = dy.flat<bfloat16>().data();
    float* out = dw->flat<float>().data();
    const int64_t items = (s.inputs + kInputsPerItem - 1) / kInputsPerItem;
    ParallelFor(context, items, 9 * s.batch * s.out_height * s.out_width * s.outputs * kInputsPerItem / 16, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; item++) OneItem(s, values, above, item * kInputsPerItem, out);
    });
  }

 private:
  // Works through all positions, a piece of rows at a time, for the input channels from `start` on.
  static void OneItem(const Shape& s, const bfloat16* x, const bfloat16* dy, int64_t start, float* out) {
    const int64_t inputs = std::min(kInputsPerItem, s.inputs - start), padded = RoundUp(inputs, kInputTile);
    const int64_t images = std::max<int64_t>(1, kPairsPerPiece / (s.out_height * s.pairs_per_row));
    const int64_t rows_in = s.height + 2;  // a row of nothing before and after
    std::vector<uint32_t> columns(kTaps * images * rows_in * s.pairs_per_row * padded);
    std::vector<uint32_t> above(images * s.out_height * s.pairs_per_row * s.outputs_padded);
    std::vector<float> sums(kTaps * kTaps * padded * s.outputs_padded, 0.0f);
    for (int64_t n = 0; n < s.batch; n += images) {
      const int64_t count = std::min(images, s.batch - n);
      LayOutInputs(s, x, n, count, start, inputs, padded, columns.data());
      LayOutGradients(s, dy, n, count, above.data());
      for (int64_t i = 0; i < kTaps; i++)
        for (int64_t j = 0; j < kTaps; j++)
          for (int64_t c = 0; c < padded; c += kInputTile)
            for (int64_t k = 0; k < s.outputs_padded; k += kOutputTile * kLanes)
              OneTile(s, count, i, j, c, k, padded, columns.data(), above.data(), images, &sums[((i * kTaps + j) * padded + c) * s.outputs_padded + k]);
    }
    for (int64_t tap = 0; tap < kTaps * kTaps; tap++)
      for (int64_t c = 0; c < inputs; c++)
        std::memcpy(out + (tap * s.inputs + start + c) * s.outputs, &sums[(tap * padded + c) * s.outputs_padded], s.outputs * sizeof(float));
  }

  static void OneTile(const Shape& s, int64_t count, int64_t i, int64_t j, int64_t c, int64_t k, int64_t padded, const uint32_t* columns,
                      const uint32_t* above, int64_t images, float* sums) {
    const int64_t registers = std::min(kOutputTile, (s.outputs_padded - k) / kLanes);
    const auto add = registers == 3 ? AddProducts<3> : registers == 2 ? AddProducts<2> : AddProducts<1>;
    const int64_t rows_in = s.height + 2;
    for (int64_t image = 0; image < count; image++) {
      const uint32_t* x = columns + ((j * images + image) * rows_in + i) * s.pairs_per_row * padded + c;
      const uint32_t* dy = above + image * s.out_height * s.pairs_per_row * s.outputs_padded + k;
      if (s.stride == 1) {  // the rows follow one another
        add(x, padded, dy, s.outputs_padded, s.out_height * s.pairs_per_row, sums, s.outputs_padded);
        continue;
      }
      for (int64_t row = 0; row < s.out_height; row++)
        add(x + row * s.stride * s.pairs_per_row * padded, padded, dy + row * s.pairs_per_row * s.outputs_padded, s.outputs_padded, s.pairs_per_row, sums,
            s.outputs_padded);
    }
  }

  // columns [j, image, row + 1, pair, input channel]: columns s (2 pair) + j - 1 and s (2 pair + 1) + j - 1 of the input.
  static void LayOutInputs(const Shape& s, const bfloat16* x, int64_t n, int64_t count, int64_t start, int64_t inputs, int64_t padded, uint32_t* columns) {
    const int64_t images = std::max<int64_t>(1, kPairsPerPiece / (s.out_height * s.pairs_per_row));
    for (int64_t j = 0; j < kTaps; j++)
      for (int64_t image = 0; image < count; image++)
        for (int64_t row = -1; row <= s.height; row++) {
          uint32_t* to = columns + (((j * images + image) * (s.height + 2) + row + 1) * s.pairs_per_row) * padded;
          const auto at = [&](int64_t result) -> const bfloat16* {
            const int64_t column = s.stride * result + j - 1;
            const bool inside = result < s.out_width && row >= 0 && row < s.height && column >= 0 && column < s.width;
            return inside ? x + (((n + image) * s.height + row) * s.width + column) * s.inputs + start : nullptr;
          };
          for (int64_t pair = 0; pair < s.pairs_per_row; pair++) Interleave(at(2 * pair), at(2 * pair + 1), inputs, padded, to + pair * padded);
        }
  }

  static void LayOutGradients(const Shape& s, const bfloat16* dy, int64_t n, int64_t count, uint32_t* above) {
    for (int64_t row = 0; row < count * s.out_height; row++) {
      const bfloat16* from = dy + (n * s.out_height + row) * s.out_width * s.outputs;
      uint32_t* to = above + row * s.pairs_per_row * s.outputs_padded;
      for (int64_t pair = 0; pair < s.pairs_per_row; pair++) {
        const bfloat16* second = 2 * pair + 1 < s.out_width ? from + (2 * pair + 1) * s.outputs : nullptr;
        Interleave(from + 2 * pair * s.outputs, second, s.outputs, s.outputs_padded, to + pair * s.outputs_padded);
      }
    }
  }

  const int64_t stride_;
};

REGISTER_OP("CascadeFilterGradient").Attr("stride: int").Input("x: bfloat16").Input("dy: bfloat16").Output("dw: float");

REGISTER_KERNEL_BUILDER(Name("CascadeFilterGradient").Device(DEVICE_CPU), FilterGradientOp);

}  // namespace
}  // namespace cascade

#endif
