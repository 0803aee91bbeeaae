// A network laid out as instructions on values (lib/models/program.ts), read from the integers that
// lib/models/native-run.ts writes.

#pragma once

#include <cstring>
#include <stdexcept>

#include "operation.h"

namespace cascade {
namespace {

struct Value {
  int64_t side, channels;
  std::vector<bool> of_image;  // by step
  std::vector<int64_t> slot;   // its place among the steps that depend on the image, or among those that do not
  int64_t of_images = 0, constant = 0;  // how many there are of each

  int64_t Steps() const { return slot.size(); }
  int64_t Positions() const { return side * side; }
  int64_t Size() const { return side * side * channels; }
};

enum class Kind : int32_t { kConvolve, kNormalize, kMaxPool, kAveragePool, kMixedPool, kGlobalAveragePool, kMeet };

constexpr int32_t kNone = -1;

struct Instruction {
  Kind kind;
  int32_t x, y;                          // of a meeting x is the residual
  std::vector<int32_t> due, source;      // by step of y
  int32_t filter = kNone, size = 0, stride = 1;  // of a mixed pool the size of its windows
  int32_t mixing = kNone;                // the constant with a mixed pool's weight
  int32_t norm = kNone;                  // the constant with the gains; the biases are the next one
  std::vector<int32_t> rows;             // of these tables, by step of y
  bool relu = false;
  int32_t shortcut = kNone, first_counted = 0;
  bool concatenates = false;
  float carry = 0, gain = 1;
  std::vector<int32_t> shortcut_source;
};

// All numbers of a step of x are classified; after them, where it reads it, the answer before.
struct Answer {
  int32_t x, step;
  int32_t weight;  // the constant; the bias is the next one
  bool reads_before;
};

struct ProgramText {
  std::vector<Value> values;
  std::vector<Instruction> instructions;
  int32_t classes;
  float share;                   // of the answer before, which is added to each
  std::vector<Answer> answers;   // by timestep
};

class ProgramReader {
 public:
  ProgramReader(const int32_t* from, int64_t count) : from_(from), end_(from + count) {}

  ProgramText Read() {
    ProgramText text;
    const int32_t values = Next(), instructions = Next(), timesteps = Next();
    for (int32_t v = 0; v < values; v++) text.values.push_back(NextValue());
    for (int32_t i = 0; i < instructions; i++) text.instructions.push_back(NextInstruction(text.values));
    text.classes = Next();
    text.share = NextFloat();
    for (int32_t t = 0; t < timesteps; t++) text.answers.push_back({Next(), Next(), Next(), Next() != 0});
    if (from_ != end_) throw std::invalid_argument("the program has more integers than it should");
    return text;
  }

 private:
  int32_t Next() {
    if (from_ == end_) throw std::invalid_argument("the program breaks off");
    return *from_++;
  }
  std::vector<int32_t> NextList(int64_t count) {
    std::vector<int32_t> list;
    for (int64_t i = 0; i < count; i++) list.push_back(Next());
    return list;
  }
  float NextFloat() {
    const int32_t bits = Next();
    float value;
    std::memcpy(&value, &bits, sizeof(value));
    return value;
  }

  Value NextValue() {
    Value value{Next(), Next(), {}, {}};
    const int32_t steps = Next();
    for (int32_t d = 0; d < steps; d++) {
      value.of_image.push_back(Next() != 0);
      value.slot.push_back(value.of_image.back() ? value.of_images++ : value.constant++);
    }
    return value;
  }

  Instruction NextInstruction(const std::vector<Value>& values) {
    Instruction i{static_cast<Kind>(Next()), Next(), Next()};
    const int64_t steps = values.at(i.y).Steps();
    i.due = NextList(steps);
    i.source = NextList(steps);
    i.relu = Next() != 0;
    if (i.kind == Kind::kMeet) {
      i.shortcut = Next();
      i.first_counted = Next();
      i.concatenates = Next() != 0;
      i.carry = NextFloat();
      i.gain = NextFloat();
      i.shortcut_source = NextList(steps);
    } else {
      i.filter = Next();
      i.size = Next();
      i.stride = Next();
      i.mixing = Next();
      i.norm = Next();
      i.rows = NextList(steps);
    }
    return i;
  }

  const int32_t* from_;
  const int32_t* const end_;
};

}  // namespace
}  // namespace cascade
