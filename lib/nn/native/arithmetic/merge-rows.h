// The meeting of a delayed residual and an instant shortcut (MergePlan has the equation) where nothing is carried from step to step.

#pragma once

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
    return relu_ ? (LoadLanes(y_ + place) > 0 ? gradient : Lanes{}) : gradient;
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
  const ReceivedRows<T> by_residual(plan, plan.residual_rows, plan.residual, size, dy, y, dresidual);
  const ReceivedRows<T> by_shortcut(plan, plan.shortcut_rows, plan.shortcut, size, dy, y, dshortcut);
  threads.For(BatchOf(plan), FirstRows(plan.rows).back() * size / BatchOf(plan), [&](int64_t begin, int64_t end) {
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

}  // namespace
}  // namespace cascade
