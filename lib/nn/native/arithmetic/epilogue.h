// What a convolution's result takes on its way out: y gain + bias of its step and channel, then a ReLU where asked.

#pragma once

#include "lanes.h"

namespace cascade {
namespace {

class EpilogueRows {
 public:
  explicit EpilogueRows(const Epilogue& epilogue) : epilogue_(epilogue), first_rows_(FirstRows(epilogue.rows)) {}

  bool IsNone() const { return epilogue_.gain == nullptr; }

  // Offset of a row's gain and bias, for so many channels.
  int64_t At(int64_t row, int64_t channels) const {
    return (std::upper_bound(first_rows_.begin(), first_rows_.end(), row) - first_rows_.begin() - 1) * channels;
  }
  const float* Gain(int64_t at) const { return epilogue_.gain + at; }
  const float* Bias(int64_t at) const { return epilogue_.bias + at; }

  // What is not a number stays so.
  Lanes Of(Lanes value, Lanes gain, Lanes bias) const {
    const Lanes shifted = FusedMultiplyAdd(value, gain, bias);
    return epilogue_.relu ? (shifted < 0 ? Lanes{} : shifted) : shifted;
  }
  // Without a branch on the value, whose sign nothing foretells.
  float Of(float value, float gain, float bias) const {
    const float shifted = FusedMultiplyAdd(value, gain, bias), least = epilogue_.relu ? 0.0f : -INFINITY;
    return shifted < least ? least : shifted;
  }

 private:
  const Epilogue& epilogue_;
  const std::vector<int64_t> first_rows_;
};

}  // namespace
}  // namespace cascade
