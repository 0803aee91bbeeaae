// The meeting of a delayed residual and an instant shortcut (MergePlan has the equation).

#pragma once

#include <numeric>

#include "lanes.h"

namespace cascade {
namespace {

// Values of one image handled together where steps of different row counts meet.
constexpr int64_t kValuesPerChunk = 512;

// The steps of one side of a merge: where each begins, and its rows. A one-row step stands for the whole batch.
struct StepRows {
  explicit StepRows(const std::vector<int64_t>& rows) : rows(rows), first(FirstRows(rows)) {}
  int64_t Of(int64_t step, int64_t image) const { return first[step] + (rows[step] == 1 ? 0 : image); }
  const std::vector<int64_t>& rows;
  const std::vector<int64_t> first;
};

inline int64_t BatchOf(const MergePlan& plan) { return *std::max_element(plan.rows.begin(), plan.rows.end()); }

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

// Whether every row of the result is by itself: nothing is carried from step to step, and all steps count.
inline bool IsByRows(const MergePlan& plan) { return plan.carry == 0.0f && plan.gain == 1.0f && plan.first_counted == 0; }

// Which step a row belongs to, and its place there.
struct RowPlace {
  int64_t step, image;
};

inline std::vector<RowPlace> PlacesOf(const std::vector<int64_t>& rows) {
  std::vector<RowPlace> places;
  for (size_t d = 0; d < rows.size(); d++)
    for (int64_t image = 0; image < rows[d]; image++) places.push_back({static_cast<int64_t>(d), image});
  return places;
}

// y = relu?(u + x); what is null counts as zero.
template <typename T>
void AddUp(bool relu, const T* __restrict u, const T* __restrict x, T* __restrict y, int64_t count) {
  const auto give = [=](const auto& sum) {
    if (relu)
      for (int64_t i = 0; i < count; i++) y[i] = Cast<T>(std::max(sum(i), 0.0f));
    else
      for (int64_t i = 0; i < count; i++) y[i] = Cast<T>(sum(i));
  };
  if (u != nullptr && x != nullptr) give([=](int64_t i) { return Load(u[i]) + Load(x[i]); });
  else if (u != nullptr) give([=](int64_t i) { return Load(u[i]); });
  else if (x != nullptr) give([=](int64_t i) { return 0.0f + Load(x[i]); });
  else give([](int64_t) { return 0.0f; });
}

template <typename T>
void MergeRows(const Threads& threads, const MergePlan& plan, int64_t size, const T* residual, const T* shortcut, T* y) {
  const StepRows residuals(plan.residual_rows), shortcuts(plan.shortcut_rows);
  const auto places = PlacesOf(plan.rows);
  threads.For(places.size(), size / 4, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      const auto [d, image] = places[row];
      const int64_t j = plan.residual[d], s = plan.shortcut[d];
      AddUp(plan.relu, j < 0 ? nullptr : residual + residuals.Of(j, image) * size, s < 0 ? nullptr : shortcut + shortcuts.Of(s, image) * size,
            y + row * size, size);
    }
  });
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

// What one side of a merge by rows receives: each row of its steps is the sum over the steps that read it, the last ones first.
template <typename T>
class ReceivedRows {
 public:
  ReceivedRows(const MergePlan& plan, const std::vector<int64_t>& rows, const std::vector<int64_t>& source, int64_t size, const T* dy,
               const T* y, T* received)
      : steps_(rows), result_(plan.rows), relu_(plan.relu), size_(size), dy_(dy), y_(y), received_(received), readers_(rows.size()) {
    for (int64_t d = static_cast<int64_t>(source.size()) - 1; d >= 0; d--)
      if (source[d] >= 0) readers_[source[d]].push_back(d);
  }

  // The rows of one image.
  void GiveImage(int64_t image) const {
    for (size_t j = 0; j < readers_.size(); j++) {
      if (steps_.rows[j] == 1) continue;
      T* row = received_ + steps_.Of(j, image) * size_;
      int64_t i = 0;
      for (; i + kLanes <= size_; i += kLanes) {
        Lanes sum = Broadcast(0.0f);
        for (const int64_t d : readers_[j]) sum += PassedLanes((result_.first[d] + image) * size_ + i);
        StoreLanes(sum, row + i);
      }
      for (; i < size_; i++) {
        float sum = 0.0f;
        for (const int64_t d : readers_[j]) sum += Passed((result_.first[d] + image) * size_ + i);
        row[i] = Cast<T>(sum);
      }
    }
  }

  // A stretch of the rows that stand for the whole batch: image by image.
  void GiveChunk(int64_t chunk) const {
    const int64_t start = chunk * kValuesPerChunk, count = std::min(kValuesPerChunk, size_ - start);
    for (size_t j = 0; j < readers_.size(); j++) {
      if (steps_.rows[j] != 1) continue;
      float sum[kValuesPerChunk]{};
      for (int64_t image = 0, batch = BatchOfReaders(j); image < batch; image++)
        for (const int64_t d : readers_[j])
          if (image < result_.rows[d]) AddPassed((result_.first[d] + image) * size_ + start, count, sum);
      T* row = received_ + steps_.first[j] * size_ + start;
      for (int64_t i = 0; i < count; i++) row[i] = Cast<T>(sum[i]);
    }
  }

 private:
  // The gradient that the ReLU lets through.
  float Passed(int64_t place) const { return !relu_ || Load(y_[place]) > 0.0f ? Load(dy_[place]) : 0.0f; }
  Lanes PassedLanes(int64_t place) const {
    const Lanes gradient = LoadLanes(dy_ + place);
    return relu_ ? Select(LoadLanes(y_ + place) > Broadcast(0.0f), gradient, Broadcast(0.0f)) : gradient;
  }

  void AddPassed(int64_t place, int64_t count, float* sum) const {
    int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes) StoreLanes(LoadLanes(sum + i) + PassedLanes(place + i), sum + i);
    for (; i < count; i++) sum[i] += Passed(place + i);
  }

  int64_t BatchOfReaders(int64_t j) const {
    int64_t batch = 0;
    for (const int64_t d : readers_[j]) batch = std::max(batch, result_.rows[d]);
    return batch;
  }

  const StepRows steps_, result_;
  const bool relu_;
  const int64_t size_;
  const T* const dy_;
  const T* const y_;
  T* const received_;
  std::vector<std::vector<int64_t>> readers_;
};

template <typename T>
void MergeGradientRows(const Threads& threads, const MergePlan& plan, int64_t size, const T* dy, const T* y, T* dresidual, T* dshortcut) {
  const int64_t result_rows = std::accumulate(plan.rows.begin(), plan.rows.end(), int64_t{0});
  const ReceivedRows<T> by_residual(plan, plan.residual_rows, plan.residual, size, dy, y, dresidual);
  const ReceivedRows<T> by_shortcut(plan, plan.shortcut_rows, plan.shortcut, size, dy, y, dshortcut);
  threads.For(BatchOf(plan), result_rows * size / BatchOf(plan), [&](int64_t begin, int64_t end) {
    for (int64_t image = begin; image < end; image++) {
      by_residual.GiveImage(image);
      by_shortcut.GiveImage(image);
    }
  });
  threads.For(CeilDiv(size, kValuesPerChunk), BatchOf(plan) * kValuesPerChunk, [&](int64_t begin, int64_t end) {
    for (int64_t chunk = begin; chunk < end; chunk++) {
      by_residual.GiveChunk(chunk);
      by_shortcut.GiveChunk(chunk);
    }
  });
}

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
