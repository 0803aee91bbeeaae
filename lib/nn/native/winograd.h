// Convolution on small maps, after Winograd.
//

#pragma once

#include "common.h"

namespace cascade {
namespace {

// Two outputs of a 3-tap filter need 4 products instead of 6, in each direction (Winograd; Lavin and Gray 2016):
//
//     y = A^T [(G g G^T) (B^T d B)] A,  d a 4x4 piece of the input, g the 3x3 filter, y the 2x2 outputs
//
// The products of all pieces and channels are 16 matrix multiplications, which TensorFlow does. Here are the
// transforms around them; a piece's 16 values are the outermost axis.

constexpr int64_t kPiece = 4;   // side of an input piece
constexpr int64_t kOutput = 2;  // side of what it gives

struct PieceShape {
  PieceShape(int64_t batch, int64_t height, int64_t width, int64_t channels)
      : batch(batch), height(height), width(width), channels(channels), rows(height / kOutput), columns(width / kOutput), pieces(batch * rows * columns) {}
  const int64_t batch, height, width, channels, rows, columns, pieces;
};

// B^T over one axis of four values.
inline void InputTransform(float a, float b, float c, float d, float* __restrict out, int64_t stride) {
  out[0] = a - c;
  out[stride] = b + c;
  out[2 * stride] = c - b;
  out[3 * stride] = b - d;
}

// x [N, H, W, C] -> [16, pieces, C]
class WinogradInputOp : public OpKernel {
 public:
  explicit WinogradInputOp(OpKernelConstruction* c) : OpKernel(c) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    const PieceShape s(x.dim_size(0), x.dim_size(1), x.dim_size(2), x.dim_size(3));
    Tensor* v = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({kPiece * kPiece, s.pieces, s.channels}), &v));
    const float* in = x.flat<float>().data();
    float* out = v->flat<float>().data();
    const std::vector<float> zeros(s.channels, 0.0f);
    ParallelFor(context, s.pieces, 32 * s.channels, [&](int64_t begin, int64_t end) {
      std::vector<float> half(kPiece * kPiece * s.channels);  // B^T d
      for (int64_t piece = begin; piece < end; piece++) {
        const int64_t n = piece / (s.rows * s.columns), top = piece / s.columns % s.rows * kOutput - 1, left = piece % s.columns * kOutput - 1;
        const auto at = [&](int64_t i, int64_t j) {
          const int64_t row = top + i, column = left + j;
          const bool inside = row >= 0 && row < s.height && column >= 0 && column < s.width;
          return inside ? in + ((n * s.height + row) * s.width + column) * s.channels : zeros.data();
        };
        for (int64_t j = 0; j < kPiece; j++) {
          const float *__restrict a = at(0, j), *__restrict b = at(1, j), *__restrict c = at(2, j), *__restrict d = at(3, j);
          float* __restrict to = &half[j * s.channels];
          const int64_t stride = kPiece * s.channels;
          for (int64_t k = 0; k < s.channels; k++) InputTransform(a[k], b[k], c[k], d[k], to + k, stride);
        }
        for (int64_t i = 0; i < kPiece; i++) {
          const float* __restrict row = &half[i * kPiece * s.channels];
          float* __restrict to = out + (i * kPiece * s.pieces + piece) * s.channels;
          const int64_t c1 = s.channels, c2 = 2 * s.channels, c3 = 3 * s.channels, stride = s.pieces * s.channels;
          for (int64_t k = 0; k < s.channels; k++) InputTransform(row[k], row[c1 + k], row[c2 + k], row[c3 + k], to + k, stride);
        }
      }
    });
  }
};

// G over one axis: three taps -> four values; and G^T over one axis: four values -> three taps.
inline void FilterTransform(const float g[3], float u[4]) {
  const float ends = 0.5f * (g[0] + g[2]), middle = 0.5f * g[1];
  u[0] = g[0];
  u[1] = ends + middle;
  u[2] = ends - middle;
  u[3] = g[2];
}

inline void FilterGradientTransform(const float u[4], float g[3]) {
  const float sum = 0.5f * (u[1] + u[2]);
  g[0] = u[0] + sum;
  g[1] = 0.5f * (u[1] - u[2]);
  g[2] = sum + u[3];
}

// filter [3, 3, C, C'] -> [16, C, C'], or, turned for the gradient by the input, -> [16, C', C].
class WinogradFilterOp : public OpKernel {
 public:
  explicit WinogradFilterOp(OpKernelConstruction* c) : OpKernel(c), turned_(Attribute<bool>(c, "turned")) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& filter = context->input(0);
    const int64_t inputs = filter.dim_size(2), outputs = filter.dim_size(3), size = inputs * outputs;
    Tensor* u = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({kPiece * kPiece, turned_ ? outputs : inputs, turned_ ? inputs : outputs}), &u));
    const float* w = filter.flat<float>().data();
    float* out = u->flat<float>().data();
    ParallelFor(context, size, 60, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; item++) {
        float half[4][3];  // G g
        for (int64_t b = 0; b < 3; b++) {
          float column[3], transformed[4];
          for (int64_t a = 0; a < 3; a++) column[a] = w[(turned_ ? (2 - a) * 3 + 2 - b : a * 3 + b) * size + item];
          FilterTransform(column, transformed);
          for (int64_t i = 0; i < 4; i++) half[i][b] = transformed[i];
        }
        const int64_t place = turned_ ? item % outputs * inputs + item / outputs : item;
        for (int64_t i = 0; i < 4; i++) {
          float row[4];
          FilterTransform(half[i], row);
          for (int64_t j = 0; j < 4; j++) out[(i * 4 + j) * size + place] = row[j];
        }
      }
    });
  }

 private:
  const bool turned_;
};

// The gradient of WinogradFilter: [16, C, C'] -> [3, 3, C, C'].
class WinogradFilterGradientOp : public OpKernel {
 public:
  explicit WinogradFilterGradientOp(OpKernelConstruction* c) : OpKernel(c) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& du = context->input(0);
    const int64_t inputs = du.dim_size(1), outputs = du.dim_size(2), size = inputs * outputs;
    Tensor* dw = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({3, 3, inputs, outputs}), &dw));
    const float* u = du.flat<float>().data();
    float* out = dw->flat<float>().data();
    ParallelFor(context, size, 60, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; item++) {
        float half[3][4];  // G^T u
        for (int64_t j = 0; j < 4; j++) {
          float column[4], transformed[3];
          for (int64_t i = 0; i < 4; i++) column[i] = u[(i * 4 + j) * size + item];
          FilterGradientTransform(column, transformed);
          for (int64_t a = 0; a < 3; a++) half[a][j] = transformed[a];
        }
        for (int64_t a = 0; a < 3; a++) {
          float row[3];
          FilterGradientTransform(half[a], row);
          for (int64_t b = 0; b < 3; b++) out[(a * 3 + b) * size + item] = row[b];
        }
      }
    });
  }
};

// m [16, pieces, C'] -> y [N, H, W, C'] = A^T m A of each piece.
class WinogradOutputOp : public OpKernel {
 public:
  explicit WinogradOutputOp(OpKernelConstruction* c) : OpKernel(c), height_(Attribute<int64_t>(c, "height")), width_(Attribute<int64_t>(c, "width")) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& m = context->input(0);
    const PieceShape s(m.dim_size(1) / (height_ / kOutput * (width_ / kOutput)), height_, width_, m.dim_size(2));
    Tensor* y = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({s.batch, s.height, s.width, s.channels}), &y));
    const float* in = m.flat<float>().data();
    float* out = y->flat<float>().data();
    ParallelFor(context, s.pieces, 24 * s.channels, [&](int64_t begin, int64_t end) {
      std::vector<float> half(kOutput * kPiece * s.channels);  // A^T m
      for (int64_t piece = begin; piece < end; piece++) {
        const int64_t n = piece / (s.rows * s.columns), top = piece / s.columns % s.rows * kOutput, left = piece % s.columns * kOutput;
        const auto from = [&](int64_t i, int64_t j) { return in + ((i * kPiece + j) * s.pieces + piece) * s.channels; };
        for (int64_t j = 0; j < kPiece; j++) {
          const float *__restrict a = from(0, j), *__restrict b = from(1, j), *__restrict c = from(2, j), *__restrict d = from(3, j);
          float *__restrict first = &half[j * s.channels], *__restrict second = &half[(kPiece + j) * s.channels];
          for (int64_t k = 0; k < s.channels; k++) {
            first[k] = a[k] + b[k] + c[k];
            second[k] = b[k] - c[k] - d[k];
          }
        }
        for (int64_t i = 0; i < kOutput; i++) {
          const float* __restrict row = &half[i * kPiece * s.channels];
          float* __restrict first = out + ((n * s.height + top + i) * s.width + left) * s.channels;
          float* __restrict second = first + s.channels;
          const int64_t c1 = s.channels, c2 = 2 * s.channels, c3 = 3 * s.channels;
          for (int64_t k = 0; k < s.channels; k++) {
            first[k] = row[k] + row[c1 + k] + row[c2 + k];
            second[k] = row[c1 + k] - row[c2 + k] - row[c3 + k];
          }
        }
      }
    });
  }

 private:
  const int64_t height_, width_;
};

// The gradient of WinogradOutput: dy [N, H, W, C'] -> [16, pieces, C'] = A dy A^T of each piece.
class WinogradOutputGradientOp : public OpKernel {
 public:
  explicit WinogradOutputGradientOp(OpKernelConstruction* c) : OpKernel(c) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& dy = context->input(0);
    const PieceShape s(dy.dim_size(0), dy.dim_size(1), dy.dim_size(2), dy.dim_size(3));
    Tensor* dm = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({kPiece * kPiece, s.pieces, s.channels}), &dm));
    const float* in = dy.flat<float>().data();
    float* out = dm->flat<float>().data();
    ParallelFor(context, s.pieces, 24 * s.channels, [&](int64_t begin, int64_t end) {
      const int64_t width = kOutput * s.channels;
      std::vector<float> half(kPiece * width);  // A dy
      for (int64_t piece = begin; piece < end; piece++) {
        const int64_t n = piece / (s.rows * s.columns), top = piece / s.columns % s.rows * kOutput, left = piece % s.columns * kOutput;
        const float* __restrict p = in + ((n * s.height + top) * s.width + left) * s.channels;
        OutputGradientTransform(p, p + s.width * s.channels, width, half.data(), width);
        for (int64_t i = 0; i < kPiece; i++) {
          const float* row = &half[i * width];
          OutputGradientTransform(row, row + s.channels, s.channels, out + (i * kPiece * s.pieces + piece) * s.channels, s.pieces * s.channels);
        }
      }
    });
  }

 private:
  // A over one axis of two values: a, a + b, a - b, -b.
  static void OutputGradientTransform(const float* __restrict a, const float* __restrict b, int64_t count, float* __restrict to, int64_t stride) {
    for (int64_t k = 0; k < count; k++) {
      to[k] = a[k];
      to[stride + k] = a[k] + b[k];
      to[2 * stride + k] = a[k] - b[k];
      to[3 * stride + k] = -b[k];
    }
  }
};

REGISTER_OP("CascadeWinogradInput").Input("x: float").Output("v: float");
REGISTER_OP("CascadeWinogradFilter").Attr("turned: bool").Input("filter: float").Output("u: float");
REGISTER_OP("CascadeWinogradFilterGradient").Input("du: float").Output("dw: float");
REGISTER_OP("CascadeWinogradOutput").Attr("height: int").Attr("width: int").Input("m: float").Output("y: float");
REGISTER_OP("CascadeWinogradOutputGradient").Input("dy: float").Output("dm: float");

REGISTER_KERNEL_BUILDER(Name("CascadeWinogradInput").Device(DEVICE_CPU), WinogradInputOp);
REGISTER_KERNEL_BUILDER(Name("CascadeWinogradFilter").Device(DEVICE_CPU), WinogradFilterOp);
REGISTER_KERNEL_BUILDER(Name("CascadeWinogradFilterGradient").Device(DEVICE_CPU), WinogradFilterGradientOp);
REGISTER_KERNEL_BUILDER(Name("CascadeWinogradOutput").Device(DEVICE_CPU), WinogradOutputOp);
REGISTER_KERNEL_BUILDER(Name("CascadeWinogradOutputGradient").Device(DEVICE_CPU), WinogradOutputGradientOp);

}  // namespace
}  // namespace cascade
