// Convolution, summed in double.
//
// A float32 convolution adds thousands of products in float32. That is fast, and near enough for training, but a ReLU whose
// input is nearly zero may flip on the rounding. These plain loops add in double and round once, and so are what the
// reference numbers are compared by.

#pragma once

#include "epilogue.h"

namespace cascade {
namespace {

struct Float64 {
  template <typename T>
  static void Convolve(const Threads& threads, const ConvolutionShape& s, const Epilogue& epilogue, const T* x, const float* filter, T* y) {
    const EpilogueRows rows(epilogue);
    const int64_t out_height = s.OutHeight(), out_width = s.OutWidth();
    const std::vector<double> w(filter, filter + s.size * s.size * s.inputs * s.outputs);
    threads.For(s.batch * out_height * out_width, s.size * s.size * s.inputs * s.outputs, [&](int64_t begin, int64_t end) {
      std::vector<double> sum(s.outputs);
      for (int64_t p = begin; p < end; p++) {
        const int64_t n = p / (out_height * out_width), i = p / out_width % out_height, j = p % out_width;
        std::fill(sum.begin(), sum.end(), 0.0);
        for (int64_t a = 0; a < s.size; a++)
          for (int64_t b = 0; b < s.size; b++) {
            const int64_t row = i * s.stride + a - s.Padding(), column = j * s.stride + b - s.Padding();
            if (row < 0 || row >= s.height || column < 0 || column >= s.width) continue;
            const T* values = x + ((n * s.height + row) * s.width + column) * s.inputs;
            const double* taps = &w[(a * s.size + b) * s.inputs * s.outputs];
            for (int64_t c = 0; c < s.inputs; c++)
              for (int64_t k = 0; k < s.outputs; k++) sum[k] += Load(values[c]) * taps[c * s.outputs + k];
          }
        const int64_t at = rows.IsNone() ? 0 : rows.At(n, s.outputs);
        for (int64_t k = 0; k < s.outputs; k++) {
          const float value = static_cast<float>(sum[k]);
          y[p * s.outputs + k] = Cast<T>(rows.IsNone() ? value : rows.Of(value, *rows.Gain(at + k), *rows.Bias(at + k)));
        }
      }
    });
  }

  template <typename T>
  static void InputGradient(const Threads& threads, const ConvolutionShape& s, const T* dy, const float* filter, T* dx) {
    const int64_t out_height = s.OutHeight(), out_width = s.OutWidth();
    std::vector<double> transposed(s.size * s.size * s.inputs * s.outputs);  // [tap][output][input]
    for (int64_t tap = 0; tap < s.size * s.size; tap++)
      for (int64_t c = 0; c < s.inputs; c++)
        for (int64_t k = 0; k < s.outputs; k++) transposed[(tap * s.outputs + k) * s.inputs + c] = filter[(tap * s.inputs + c) * s.outputs + k];
    threads.For(s.batch * s.height * s.width, s.size * s.size * s.inputs * s.outputs, [&](int64_t begin, int64_t end) {
      std::vector<double> sum(s.inputs);
      for (int64_t p = begin; p < end; p++) {
        const int64_t n = p / (s.height * s.width), row = p / s.width % s.height, column = p % s.width;
        std::fill(sum.begin(), sum.end(), 0.0);
        for (int64_t a = 0; a < s.size; a++)
          for (int64_t b = 0; b < s.size; b++) {
            const int64_t i = row + s.Padding() - a, j = column + s.Padding() - b;
            if (i < 0 || j < 0 || i % s.stride != 0 || j % s.stride != 0 || i / s.stride >= out_height || j / s.stride >= out_width) continue;
            const T* gradient = dy + ((n * out_height + i / s.stride) * out_width + j / s.stride) * s.outputs;
            const double* w = &transposed[(a * s.size + b) * s.outputs * s.inputs];
            for (int64_t k = 0; k < s.outputs; k++)
              for (int64_t c = 0; c < s.inputs; c++) sum[c] += Load(gradient[k]) * w[k * s.inputs + c];
          }
        for (int64_t c = 0; c < s.inputs; c++) dx[p * s.inputs + c] = Cast<T>(static_cast<float>(sum[c]));
      }
    });
  }

  template <typename T>
  static void FilterGradient(const Threads& threads, const ConvolutionShape& s, const T* x, const T* dy, float* dw) {
    const int64_t out_height = s.OutHeight(), out_width = s.OutWidth();
    threads.For(s.size * s.size * s.inputs, s.batch * out_height * out_width * s.outputs, [&](int64_t begin, int64_t end) {
      std::vector<double> sum(s.outputs);
      for (int64_t item = begin; item < end; item++) {
        const int64_t a = item / s.inputs / s.size, b = item / s.inputs % s.size, c = item % s.inputs;
        std::fill(sum.begin(), sum.end(), 0.0);
        for (int64_t n = 0; n < s.batch; n++)
          for (int64_t i = 0; i < out_height; i++)
            for (int64_t j = 0; j < out_width; j++) {
              const int64_t row = i * s.stride + a - s.Padding(), column = j * s.stride + b - s.Padding();
              if (row < 0 || row >= s.height || column < 0 || column >= s.width) continue;
              const double value = Load(x[((n * s.height + row) * s.width + column) * s.inputs + c]);
              const T* gradient = dy + ((n * out_height + i) * out_width + j) * s.outputs;
              for (int64_t k = 0; k < s.outputs; k++) sum[k] += value * Load(gradient[k]);
            }
        for (int64_t k = 0; k < s.outputs; k++) dw[item * s.outputs + k] = static_cast<float>(sum[k]);
      }
    });
  }
};

}  // namespace
}  // namespace cascade
