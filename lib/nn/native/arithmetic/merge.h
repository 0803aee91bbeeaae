// The meeting of a delayed residual and an instant shortcut (MergePlan has the equation).

#pragma once

#include "merge-rows.h"

namespace cascade {
namespace {

// z <- carry z + gain u
template <typename T>
void Carry(float carry, float gain, float* __restrict z, const T* __restrict u, int64_t count) {
  if (carry == 0.0f && u != nullptr)
    for (int64_t i = 0; i < count; i++) z[i] = gain * Load(u[i]);
  else if (u != nullptr)
    for (int64_t i = 0; i < count; i++) z[i] = FusedMultiplyAdd(carry, z[i], gain * Load(u[i]));
  else
    for (int64_t i = 0; i < count; i++) z[i] = carry * z[i];
}

// y = relu?(z + x), z only where it counts; no x is zero.
template <typename T>
void Join(bool counted, bool relu, const float* __restrict z, const T* __restrict x, T* __restrict y, int64_t count) {
  float sum[kValuesPerChunk];
  for (int64_t i = 0; i < count; i++) sum[i] = counted ? z[i] : 0.0f;
  if (x != nullptr)
    for (int64_t i = 0; i < count; i++) sum[i] += Load(x[i]);
  if (relu)
    for (int64_t i = 0; i < count; i++) sum[i] = std::max(sum[i], 0.0f);
  for (int64_t i = 0; i < count; i++) y[i] = Cast<T>(sum[i]);
}

template <typename T>
void Merge(const Threads& threads, const MergePlan& plan, int64_t size, const T* residual, const T* shortcut, T* y) {
  if (IsByRows(plan)) return MergeRows(threads, plan, size, residual, shortcut, y);
  const StepRows result(plan.rows), residuals(plan.residual_rows), shortcuts(plan.shortcut_rows);
  const int64_t chunks = CeilDiv(size, kValuesPerChunk), steps = plan.rows.size();
  threads.For(chunks * BatchOf(plan), steps * kValuesPerChunk / 4, [&](int64_t begin, int64_t end) {
    float z[kValuesPerChunk];
    for (int64_t item = begin; item < end; item++) {
      const int64_t image = item / chunks, start = (item % chunks) * kValuesPerChunk;
      const int64_t count = std::min(kValuesPerChunk, size - start);
      std::memset(z, 0, sizeof(z));
      for (int64_t d = 0; d < steps; d++) {
        if (image >= plan.rows[d]) continue;
        const int64_t j = plan.residual[d], s = plan.shortcut[d];
        const T* from = j < 0 ? nullptr : residual + residuals.Of(j, image) * size + start;
        const T* instant = s < 0 ? nullptr : shortcut + shortcuts.Of(s, image) * size + start;
        Carry(plan.carry, plan.gain, z, from, count);
        Join(d >= plan.first_counted, plan.relu, z, instant, y + (result.first[d] + image) * size + start, count);
      }
    }
  });
}

// `count` values of a step's row from `start` on, without its shortcut where they are concatenated.
inline void MeetStretch(const MergeStep& step, int64_t row, int64_t start, int64_t count, const float* shortcut, float* y) {
  float none[kValuesPerChunk]{};
  const int64_t size = step.positions * step.channels;
  float* z = step.z == nullptr ? none : step.z + row * size + start;
  Carry(step.carry, step.gain, z, step.residual == nullptr ? nullptr : step.residual + (step.residual_repeats ? 0 : row) * size + start, count);
  Join(step.counted, step.relu, z, shortcut, y, count);
}

inline void MeetAdded(const Threads& threads, const MergeStep& step, float* y) {
  const int64_t size = step.positions * step.channels, chunks = CeilDiv(size, kValuesPerChunk);
  threads.For(step.rows * chunks, kValuesPerChunk / 4, [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; item++) {
      const int64_t row = item / chunks, start = item % chunks * kValuesPerChunk;
      const float* shortcut = step.shortcut == nullptr ? nullptr : step.shortcut + (step.shortcut_repeats ? 0 : row) * size + start;
      MeetStretch(step, row, start, std::min(kValuesPerChunk, size - start), shortcut, y + row * size + start);
    }
  });
}

inline void MeetConcatenated(const Threads& threads, const MergeStep& step, float* y) {
  const int64_t before = step.shortcut_channels, both = before + step.channels;
  threads.For(step.rows * step.positions, both / 4, [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; item++) {
      const int64_t row = item / step.positions, position = item % step.positions;
      const int64_t from = ((step.shortcut_repeats ? 0 : row) * step.positions + position) * before;
      std::copy_n(step.shortcut + from, before, y + item * both);
      for (int64_t c = 0; c < step.channels; c += kValuesPerChunk)
        MeetStretch(step, row, position * step.channels + c, std::min(kValuesPerChunk, step.channels - c), nullptr, y + item * both + before + c);
    }
  });
}

inline void Meet(const Threads& threads, const MergeStep& step, float* y) {
  if (step.shortcut_channels > 0) MeetConcatenated(threads, step, y);
  else MeetAdded(threads, step, y);
}

// What each step of a summand receives, for one chunk: image by image, or over the batch where one row stands for it.
template <typename T>
class ChunkSums {
 public:
  explicit ChunkSums(const StepRows& steps) : steps_(steps), values_(steps.rows.size() * kValuesPerChunk) {}

  void Begin(int64_t image) {
    for (size_t d = 0; d < steps_.rows.size(); d++)
      if (image == 0 || steps_.rows[d] > 1) std::memset(Of(d), 0, kValuesPerChunk * sizeof(float));
  }

  void Add(int64_t d, const float* __restrict part, float gain, int64_t count) {
    float* __restrict sum = Of(d);
    for (int64_t i = 0; i < count; i++) sum[i] = FusedMultiplyAdd(gain, part[i], sum[i]);
  }

  // After the last image a row that stands for the whole batch is written too.
  void Store(int64_t image, bool last, T* to, int64_t size, int64_t start, int64_t count) {
    for (size_t d = 0; d < steps_.rows.size(); d++) {
      if (steps_.rows[d] == 1 ? !last : image >= steps_.rows[d]) continue;
      const float* __restrict sum = Of(d);
      T* __restrict q = to + steps_.Of(d, image) * size + start;
      for (int64_t i = 0; i < count; i++) q[i] = Cast<T>(sum[i]);
    }
  }

 private:
  float* Of(int64_t d) { return &values_[d * kValuesPerChunk]; }

  const StepRows& steps_;
  std::vector<float> values_;
};

template <typename T>
void MergeGradient(const Threads& threads, const MergePlan& plan, int64_t size, const T* dy, const T* y, T* dresidual, T* dshortcut) {
  if (IsByRows(plan)) return MergeGradientRows(threads, plan, size, dy, y, dresidual, dshortcut);
  const StepRows result(plan.rows), residuals(plan.residual_rows), shortcuts(plan.shortcut_rows);
  const int64_t batch = BatchOf(plan), chunks = CeilDiv(size, kValuesPerChunk), steps = plan.rows.size();
  // One chunk takes all images in turn, so that rows which stand for the whole batch are summed in order.
  threads.For(chunks, steps * batch * kValuesPerChunk / 2, [&](int64_t begin, int64_t end) {
    float own[kValuesPerChunk], dz[kValuesPerChunk];
    ChunkSums<T> residual_sums(residuals), shortcut_sums(shortcuts);
    for (int64_t chunk = begin; chunk < end; chunk++) {
      const int64_t start = chunk * kValuesPerChunk, count = std::min(kValuesPerChunk, size - start);
      for (int64_t image = 0; image < batch; image++) {
        std::memset(dz, 0, sizeof(dz));
        residual_sums.Begin(image);
        shortcut_sums.Begin(image);
        for (int64_t d = steps - 1; d >= 0; d--) {
          if (image >= plan.rows[d]) continue;
          const T* __restrict g = dy + (result.first[d] + image) * size + start;
          const T* __restrict v = y + (result.first[d] + image) * size + start;
          if (plan.relu)
            for (int64_t i = 0; i < count; i++) own[i] = Load(v[i]) > 0.0f ? Load(g[i]) : 0.0f;
          else
            for (int64_t i = 0; i < count; i++) own[i] = Load(g[i]);
          if (plan.shortcut[d] >= 0) shortcut_sums.Add(plan.shortcut[d], own, 1.0f, count);
          const float carry = plan.carry, counted = d >= plan.first_counted ? 1.0f : 0.0f;
          for (int64_t i = 0; i < count; i++) dz[i] = FusedMultiplyAdd(carry, dz[i], counted * own[i]);
          if (plan.residual[d] >= 0) residual_sums.Add(plan.residual[d], dz, plan.gain, count);
        }
        residual_sums.Store(image, image + 1 == batch, dresidual, size, start, count);
        shortcut_sums.Store(image, image + 1 == batch, dshortcut, size, start, count);
      }
    }
  });
}

}  // namespace
}  // namespace cascade
