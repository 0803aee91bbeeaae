// The meeting of a delayed residual and an instant shortcut.

#pragma once

#include "common.h"

namespace cascade {
namespace {

// Values of one image handled together where steps of different row counts meet.
constexpr int64_t kValuesPerChunk = 512;

// How delayed residual and shortcut meet, over the distinct steps d of the result (lib/nn/delay.ts):
//   z[d] = carry z[d-1] + gain u[residual[d]],   y[d] = relu?(z[d] + x[shortcut[d]])
// z counts from d = first_counted on; an index of -1 counts as zero; a one-row step meets every row of the others.
struct MergePlan {
  explicit MergePlan(OpKernelConstruction* c)
      : residual_rows(IntegerList(c, "residual_rows")),
        shortcut_rows(IntegerList(c, "shortcut_rows")),
        rows(IntegerList(c, "rows")),
        residual(IntegerList(c, "residual")),
        shortcut(IntegerList(c, "shortcut")),
        residual_first(FirstRows(residual_rows)),
        shortcut_first(FirstRows(shortcut_rows)),
        first(FirstRows(rows)),
        batch(*std::max_element(rows.begin(), rows.end())),
        first_counted(Attribute<int64_t>(c, "first_counted")),
        carry(Attribute<float>(c, "carry")),
        gain(Attribute<float>(c, "gain")),
        relu(Attribute<bool>(c, "relu")) {}

  const std::vector<int64_t> residual_rows, shortcut_rows, rows, residual, shortcut;
  const std::vector<int64_t> residual_first, shortcut_first, first;
  const int64_t batch, first_counted;
  const float carry, gain;
  const bool relu;
};

// Row of image b in a step that begins at `first` and has `rows` rows.
inline int64_t RowOf(int64_t first, int64_t rows, int64_t b) { return first + (rows == 1 ? 0 : b); }

template <typename T>
class MergeOp : public OpKernel {
 public:
  explicit MergeOp(OpKernelConstruction* c) : OpKernel(c), plan_(c) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& u = context->input(0);
    const int64_t size = u.dim_size(1) * u.dim_size(2) * u.dim_size(3);
    Tensor* y = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({plan_.first.back(), u.dim_size(1), u.dim_size(2), u.dim_size(3)}), &y));
    const T* residual = u.flat<T>().data();
    const T* shortcut = context->input(1).flat<T>().data();
    T* out = y->flat<T>().data();
    const int64_t chunks = Quotient(size, kValuesPerChunk);
    const int64_t steps = plan_.rows.size();
    ParallelFor(context, chunks * plan_.batch, steps * kValuesPerChunk / 4, [&](int64_t begin, int64_t end) {
      float z[kValuesPerChunk], sum[kValuesPerChunk];
      for (int64_t item = begin; item < end; item++) {
        const int64_t b = item / chunks, start = (item % chunks) * kValuesPerChunk;
        const int64_t count = std::min(kValuesPerChunk, size - start);
        std::memset(z, 0, sizeof(z));
        for (int64_t d = 0; d < steps; d++) {
          if (b >= plan_.rows[d]) continue;
          const int64_t j = plan_.residual[d], s = plan_.shortcut[d];
          const T* __restrict from = j < 0 ? nullptr : residual + RowOf(plan_.residual_first[j], plan_.residual_rows[j], b) * size + start;
          const T* __restrict instant = s < 0 ? nullptr : shortcut + RowOf(plan_.shortcut_first[s], plan_.shortcut_rows[s], b) * size + start;
          T* __restrict q = out + (plan_.first[d] + b) * size + start;
          Carry(z, from, count);
          const bool counted = d >= plan_.first_counted;
          for (int64_t i = 0; i < count; i++) sum[i] = counted ? z[i] : 0.0f;
          if (instant != nullptr)
            for (int64_t i = 0; i < count; i++) sum[i] += Load(instant[i]);
          if (plan_.relu)
            for (int64_t i = 0; i < count; i++) sum[i] = std::max(sum[i], 0.0f);
          for (int64_t i = 0; i < count; i++) q[i] = Stored<T>(sum[i]);
        }
      }
    });
  }

 private:
  // z <- carry z + gain u
  void Carry(float* __restrict z, const T* __restrict u, int64_t count) const {
    const float carry = plan_.carry, gain = plan_.gain;
    if (carry == 0.0f && u != nullptr)
      for (int64_t i = 0; i < count; i++) z[i] = gain * Load(u[i]);
    else if (u != nullptr)
      for (int64_t i = 0; i < count; i++) z[i] = carry * z[i] + gain * Load(u[i]);
    else
      for (int64_t i = 0; i < count; i++) z[i] = carry * z[i];
  }

  const MergePlan plan_;
};

template <typename T>
class MergeGradientOp : public OpKernel {
 public:
  explicit MergeGradientOp(OpKernelConstruction* c) : OpKernel(c), plan_(c) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& dy = context->input(0);
    const int64_t height = dy.dim_size(1), width = dy.dim_size(2), channels = dy.dim_size(3), size = height * width * channels;
    Tensor *du = nullptr, *dx = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({plan_.residual_first.back(), height, width, channels}), &du));
    OP_REQUIRES_OK(context, context->allocate_output(1, TensorShape({plan_.shortcut_first.back(), height, width, channels}), &dx));
    const T* above = dy.flat<T>().data();
    const T* y = context->input(1).flat<T>().data();
    T* residual = du->flat<T>().data();
    T* shortcut = dx->flat<T>().data();
    const int64_t chunks = Quotient(size, kValuesPerChunk);
    const int64_t steps = plan_.rows.size();
    // One chunk takes all images in turn, so that rows which stand for the whole batch are summed in order.
    ParallelFor(context, chunks, steps * plan_.batch * kValuesPerChunk / 2, [&](int64_t begin, int64_t end) {
      float own[kValuesPerChunk], dz[kValuesPerChunk];
      Sums residual_sums(plan_.residual_first, plan_.residual_rows), shortcut_sums(plan_.shortcut_first, plan_.shortcut_rows);
      for (int64_t chunk = begin; chunk < end; chunk++) {
        const int64_t start = chunk * kValuesPerChunk, count = std::min(kValuesPerChunk, size - start);
        for (int64_t b = 0; b < plan_.batch; b++) {
          std::memset(dz, 0, sizeof(dz));
          residual_sums.Begin(b);
          shortcut_sums.Begin(b);
          for (int64_t d = steps - 1; d >= 0; d--) {
            if (b >= plan_.rows[d]) continue;
            const T* __restrict g = above + (plan_.first[d] + b) * size + start;
            const T* __restrict v = y + (plan_.first[d] + b) * size + start;
            if (plan_.relu)
              for (int64_t i = 0; i < count; i++) own[i] = Load(v[i]) > 0.0f ? Load(g[i]) : 0.0f;
            else
              for (int64_t i = 0; i < count; i++) own[i] = Load(g[i]);
            if (plan_.shortcut[d] >= 0) shortcut_sums.Add(plan_.shortcut[d], own, 1.0f, count);
            const float carry = plan_.carry;
            const float counted = d >= plan_.first_counted ? 1.0f : 0.0f;
            for (int64_t i = 0; i < count; i++) dz[i] = counted * own[i] + carry * dz[i];
            if (plan_.residual[d] >= 0) residual_sums.Add(plan_.residual[d], dz, plan_.gain, count);
          }
          residual_sums.Store(b, b + 1 == plan_.batch, residual, size, start, count);
          shortcut_sums.Store(b, b + 1 == plan_.batch, shortcut, size, start, count);
        }
      }
    });
  }

 private:
  // What each step of a summand receives, for one chunk: image by image, or over the batch where one row stands for it.
  class Sums {
   public:
    Sums(const std::vector<int64_t>& first, const std::vector<int64_t>& rows)
        : first_(first), rows_(rows), values_(rows.size() * kValuesPerChunk) {}

    void Begin(int64_t b) {
      for (size_t d = 0; d < rows_.size(); d++)
        if (b == 0 || rows_[d] > 1) std::memset(Of(d), 0, kValuesPerChunk * sizeof(float));
    }

    void Add(int64_t d, const float* __restrict part, float gain, int64_t count) {
      float* __restrict sum = Of(d);
      for (int64_t i = 0; i < count; i++) sum[i] += gain * part[i];
    }

    // After the last image a row that stands for the whole batch is written too.
    void Store(int64_t b, bool last, T* to, int64_t size, int64_t start, int64_t count) {
      for (size_t d = 0; d < rows_.size(); d++) {
        if (rows_[d] == 1 ? !last : b >= rows_[d]) continue;
        const float* __restrict sum = Of(d);
        T* __restrict q = to + RowOf(first_[d], rows_[d], b) * size + start;
        for (int64_t i = 0; i < count; i++) q[i] = Stored<T>(sum[i]);
      }
    }

   private:
    float* Of(int64_t d) { return &values_[d * kValuesPerChunk]; }

    const std::vector<int64_t>&first_, &rows_;
    std::vector<float> values_;
  };

  const MergePlan plan_;
};

REGISTER_OP("CascadeMerge")
    .Attr("T: {float, bfloat16}").Attr("residual_rows: list(int)").Attr("shortcut_rows: list(int)").Attr("rows: list(int)")
    .Attr("residual: list(int)").Attr("shortcut: list(int)")
    .Attr("first_counted: int").Attr("carry: float").Attr("gain: float").Attr("relu: bool")
    .Input("residual_values: T").Input("shortcut_values: T").Output("y: T");
REGISTER_OP("CascadeMergeGradient")
    .Attr("T: {float, bfloat16}").Attr("residual_rows: list(int)").Attr("shortcut_rows: list(int)").Attr("rows: list(int)")
    .Attr("residual: list(int)").Attr("shortcut: list(int)")
    .Attr("first_counted: int").Attr("carry: float").Attr("gain: float").Attr("relu: bool")
    .Input("dy: T").Input("y: T").Output("dresidual: T").Output("dshortcut: T");

REGISTER_FOR_STORED_TYPES("CascadeMerge", MergeOp);
REGISTER_FOR_STORED_TYPES("CascadeMergeGradient", MergeGradientOp);

}  // namespace
}  // namespace cascade
