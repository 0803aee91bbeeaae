// Programs as they are opened, with their filters laid out, and as they run on some images.

#pragma once

#include <cstdlib>
#include <limits>
#include <mutex>

#include "operation.h"
#include "program-text.h"

namespace cascade {
namespace {

// Floats from the beginning of a cache line on.
class Floats {
 public:
  explicit Floats(int64_t count = 0)
      : values_(count == 0 ? nullptr : static_cast<float*>(std::aligned_alloc(64, (count * sizeof(float) + 127) / 64 * 64)), &std::free) {
    if (count > 0 && values_ == nullptr) throw std::bad_alloc();
  }
  float* get() const { return values_.get(); }

 private:
  std::unique_ptr<float, void (*)(void*)> values_;
};

constexpr int32_t kNever = std::numeric_limits<int32_t>::max();

// What was computed: of each value the steps of one kind, in a row.
struct Store {
  Store(const std::vector<Value>& values, bool of_image, int64_t batch) {
    for (const Value& value : values) {
      const int64_t rows = of_image ? value.of_images * batch : value.constant;
      steps.emplace_back(rows * value.Size());
      carried.emplace_back();
    }
  }
  std::vector<Floats> steps, carried;
};

// Opened once for many images: filters laid out, what does not depend on the image computed.
class Plan final : public tensorflow::ResourceBase {
 public:
  Plan(const Arithmetic& arithmetic, const Threads& threads, const Packing& packing, ProgramText text, std::vector<Tensor> constants)
      : arithmetic(arithmetic), text(std::move(text)), constants(std::move(constants)), store(this->text.values, false, 1) {
    for (const Instruction& i : this->text.instructions) Prepare(threads, packing, i);
  }
  std::string DebugString() const override { return "a network laid out for evaluation"; }

  const float* Constant(int32_t index) const { return constants.at(index).flat<float>().data(); }

  const Arithmetic& arithmetic;
  const ProgramText text;
  const std::vector<Tensor> constants;
  Store store;
  std::vector<std::unique_ptr<PackedFilter>> filters;  // by instruction
  std::vector<std::vector<float>> gains, biases;       // [steps, channels] of each instruction

 private:
  void Prepare(const Threads& threads, const Packing& packing, const Instruction& i) {
    filters.emplace_back();
    gains.emplace_back();
    biases.emplace_back();
    const Value &x = text.values.at(std::max(i.x, 0)), &y = text.values.at(i.y);
    if (i.filter != kNone)
      filters.back() = arithmetic.Pack(threads, {1, x.side, x.side, x.channels, i.size, y.channels, i.stride}, packing, Constant(i.filter));
    if (i.norm == kNone) return;
    for (const int32_t row : i.rows) {
      const float *gain = Constant(i.norm) + row * y.channels, *bias = Constant(i.norm + 1) + row * y.channels;
      gains.back().insert(gains.back().end(), gain, gain + y.channels);
      biases.back().insert(biases.back().end(), bias, bias + y.channels);
    }
  }
};

// Carries out a plan's instructions on what does not depend on the image, or on `batch` images.
class Machine {
 public:
  Machine(const Plan& plan, Store& store, bool of_image, int64_t batch, const Threads& threads)
      : plan_(plan), store_(store), of_image_(of_image), batch_(of_image ? batch : 1), threads_(threads) {}

  // The steps that are due after timestep `done` and up to t.
  void Advance(int64_t done, int64_t t) {
    for (size_t n = 0; n < plan_.text.instructions.size(); n++) {
      const Instruction& i = plan_.text.instructions[n];
      const auto is_due = [&](int64_t d) { return Of(i.y).of_image[d] == of_image_ && i.due[d] > done && i.due[d] <= t; };
      for (int64_t d = 0; d < Of(i.y).Steps();) {
        if (!is_due(d)) {
          d++;
          continue;
        }
        int64_t end = d + 1;
        if (i.kind != Kind::kMeet) while (end < Of(i.y).Steps() && is_due(end) && Follows(i, end)) end++;
        Run(n, d, end);
        d = end;
      }
    }
  }

  // Logits [B, K] of a timestep, given those of the one before.
  void Answer(int64_t t, const float* before, float* logits) {
    const auto& [x, step, weight, reads_before] = plan_.text.answers[t];
    const Value& value = Of(x);
    const int64_t classes = plan_.text.classes, own = value.Size(), rows = value.of_image[step] ? batch_ : 1;
    const std::vector<float> ones(classes, 1.0f);
    const Epilogue epilogue{ones.data(), plan_.Constant(weight + 1), {rows}, false};
    std::vector<float> joined;
    if (reads_before)
      for (int64_t row = 0; row < rows; row++) {
        joined.insert(joined.end(), At(x, step) + row * own, At(x, step) + (row + 1) * own);
        joined.insert(joined.end(), before + row * classes, before + (row + 1) * classes);
      }
    const ConvolutionShape linear{rows, 1, 1, own + (reads_before ? classes : 0), 1, classes, 1};
    plan_.arithmetic.Convolve(threads_, Dtype::kFloat32, Accumulation::kFast, linear, epilogue, reads_before ? joined.data() : At(x, step), plan_.Constant(weight), logits);
    for (int64_t row = rows; row < batch_; row++) std::copy_n(logits, classes, logits + row * classes);
    if (before != nullptr && plan_.text.share != 0)
      for (int64_t i = 0; i < batch_ * classes; i++) logits[i] += plan_.text.share * before[i];
  }

 private:
  const Value& Of(int32_t value) const { return plan_.text.values[value]; }

  // Whether step d reads what lies behind that which the one before it reads.
  bool Follows(const Instruction& i, int64_t d) const {
    const Value& x = Of(i.x);
    return x.of_image[i.source[d]] == x.of_image[i.source[d - 1]] && x.slot[i.source[d]] == x.slot[i.source[d - 1]] + 1;
  }

  const float* At(int32_t value, int64_t d) const {
    const Value& of = Of(value);
    return of.of_image[d] ? store_.steps[value].get() + of.slot[d] * batch_ * of.Size() : plan_.store.steps[value].get() + of.slot[d] * of.Size();
  }
  float* Place(int32_t value, int64_t d) { return const_cast<float*>(At(value, d)); }

  // Steps d to end of instruction n.
  void Run(size_t n, int64_t d, int64_t end) {
    const Instruction& i = plan_.text.instructions[n];
    if (i.kind == Kind::kMeet) return Meet(i, d);
    const Value &x = Of(i.x), &y = Of(i.y);
    const float *from = At(i.x, i.source[d]), *gain = plan_.gains[n].data() + d * y.channels, *bias = plan_.biases[n].data() + d * y.channels;
    float* to = Place(i.y, d);
    const int64_t maps = (end - d) * batch_;
    const std::vector<int64_t> rows(end - d, batch_);
    const PoolShape pool{maps, x.side, x.side, x.channels};
    switch (i.kind) {
      case Kind::kConvolve:
        plan_.filters[n]->Convolve(threads_, maps, i.norm == kNone ? Epilogue{} : Epilogue{gain, bias, rows, i.relu}, from, to);
        break;
      case Kind::kNormalize:
        plan_.arithmetic.ScaleAndShift(threads_, Dtype::kFloat32, {rows, x.Positions(), x.channels, 0, i.relu}, from, gain, bias, to);
        break;
      case Kind::kMaxPool:
        plan_.arithmetic.MaxPool(threads_, Dtype::kFloat32, pool, from, to);
        break;
      case Kind::kAveragePool:
        plan_.arithmetic.AveragePool(threads_, pool, from, to);
        break;
      case Kind::kMixedPool:
        plan_.arithmetic.MixedPool(threads_, pool, i.size, *plan_.Constant(i.mixing), from, to);
        break;
      case Kind::kGlobalAveragePool:
        plan_.arithmetic.GlobalAveragePool(threads_, pool, from, to);
        break;
      case Kind::kMeet:
        break;
    }
  }

  void Meet(const Instruction& i, int64_t d) {
    const Value& y = Of(i.y);
    const int64_t before = i.concatenates ? Of(i.shortcut).channels : 0, channels = y.channels - before;
    MergeStep step{batch_, y.Positions(), channels, before, i.carry, i.gain, d >= i.first_counted, i.relu, nullptr, nullptr, false, false, nullptr};
    if (i.x != kNone && i.source[d] != kNone) {
      step.residual = At(i.x, i.source[d]);
      step.residual_repeats = !Of(i.x).of_image[i.source[d]];
    }
    if (i.shortcut != kNone && i.shortcut_source[d] != kNone) {
      step.shortcut = At(i.shortcut, i.shortcut_source[d]);
      step.shortcut_repeats = !Of(i.shortcut).of_image[i.shortcut_source[d]];
    }
    if (i.carry != 0) step.z = Carried(i.y, batch_ * y.Positions() * channels);
    plan_.arithmetic.Meet(threads_, step, Place(i.y, d));
  }

  // Zero at first.
  float* Carried(int32_t value, int64_t count) {
    Floats& z = store_.carried[value];
    if (z.get() == nullptr) {
      z = Floats(count);
      std::fill_n(z.get(), count, 0.0f);
    }
    return z.get();
  }

  const Plan& plan_;
  Store& store_;
  const bool of_image_;
  const int64_t batch_;
  const Threads& threads_;
};

// A plan under way on some images.
class Run final : public tensorflow::ResourceBase {
 public:
  Run(tensorflow::core::RefCountPtr<Plan> plan, int64_t batch) : plan_(std::move(plan)), batch_(batch), store_(plan_->text.values, true, batch) {}
  std::string DebugString() const override { return "a network's evaluation under way"; }

  int64_t Done() const { return done_; }
  int64_t Timesteps() const { return plan_->text.answers.size(); }
  int64_t Batch() const { return batch_; }
  int64_t Classes() const { return plan_->text.classes; }
  float* Images() { return store_.steps[0].get(); }

  // -> logits [t - done, B, K]
  void Advance(int64_t t, const Threads& threads, float* logits) {
    Machine machine(*plan_, store_, true, batch_, threads);
    machine.Advance(done_, t);
    const int64_t count = batch_ * Classes();
    const float* before = done_ < 0 ? nullptr : last_.data();
    for (int64_t s = done_ + 1; s <= t; s++, before = logits, logits += count) machine.Answer(s, before, logits);
    last_.assign(before, before + count);
    done_ = t;
  }

 private:
  const tensorflow::core::RefCountPtr<Plan> plan_;
  const int64_t batch_;
  Store store_;
  std::vector<float> last_;  // the logits given last
  int64_t done_ = -1;
};

}  // namespace
}  // namespace cascade
