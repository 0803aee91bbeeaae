// compare-levels <library> <library>: whether two levels' libraries give the same bits for convolutions in mixed precision
// and their gradients. Prints a line for each shape, and ends with 1 at the first difference.

#include <dlfcn.h>

#include <cstdio>
#include <cstring>
#include <thread>

#include "../../../lib/nn/native/arithmetic/arithmetic.h"

namespace {

// A thread for each stretch: what a level keeps in a thread's registers is not there in the next one.
class FreshThreads final : public cascade::Threads {
 public:
  void For(int64_t items, int64_t, const Work& work) const override {
    const int64_t middle = items / 2;
    if (middle > 0) std::thread([&] { work(0, middle); }).join();
    if (items > middle) std::thread([&] { work(middle, items); }).join();
  }
};

const cascade::Arithmetic* Load(const char* file) {
  void* library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  void* symbol = library == nullptr ? nullptr : dlsym(library, "CascadeArithmetic");
  if (symbol == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    std::exit(2);
  }
  return reinterpret_cast<const cascade::Arithmetic* (*)(const char*)>(symbol)(CASCADE_INTERFACE);
}

// Numbers of every size from a linear congruential generator, zeros among them.
class Numbers {
 public:
  float Next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    const auto bits = static_cast<int32_t>(state_ >> 32);
    return bits % 5 == 0 ? 0.0f : static_cast<float>(bits) / static_cast<float>(1 << (bits & 15));
  }
  std::vector<float> Floats(int64_t count) {
    std::vector<float> values(count);
    for (float& value : values) value = Next();
    return values;
  }
  std::vector<uint16_t> BFloats(int64_t count) {
    std::vector<uint16_t> values(count);
    for (uint16_t& value : values) {
      const float number = Next();
      uint32_t bits;
      std::memcpy(&bits, &number, sizeof(bits));
      value = bits >> 16;
    }
    return values;
  }

 private:
  uint64_t state_ = 1;
};

template <typename Value>
bool Same(const std::vector<Value>& one, const std::vector<Value>& other) {
  return std::memcmp(one.data(), other.data(), one.size() * sizeof(Value)) == 0;
}

}  // namespace

int main(int, char** arguments) {
  const cascade::Arithmetic* levels[] = {Load(arguments[1]), Load(arguments[2])};
  const FreshThreads threads;
  Numbers numbers;
  // Inputs and outputs of every remainder by the sixty-four bytes of a register's row, and too few for registers; rows, tiles
  // and columns that do not fill one; few tiles and many, few sums and many; both strides, and the map of four positions.
  const cascade::ConvolutionShape shapes[] = {
      {32, 4, 4, 16, 3, 16, 1},   {33, 4, 4, 256, 3, 112, 1}, {35, 8, 8, 272, 3, 32, 1},  {37, 4, 4, 288, 3, 320, 1},
      {32, 8, 4, 304, 3, 16, 1},  {34, 4, 4, 320, 3, 272, 1}, {33, 4, 4, 240, 3, 256, 1}, {33, 8, 8, 256, 3, 304, 2},
      {39, 4, 4, 336, 3, 288, 2}, {36, 2, 2, 320, 3, 64, 1},  {61, 2, 2, 48, 3, 272, 1},  {200, 16, 8, 256, 3, 16, 1},
  };
  for (const auto& s : shapes) {
    const int64_t size_x = s.batch * s.height * s.width * s.inputs, size_y = s.batch * s.OutHeight() * s.OutWidth() * s.outputs;
    const int64_t size_w = s.size * s.size * s.inputs * s.outputs;
    const auto x = numbers.BFloats(size_x), dy = numbers.BFloats(size_y);
    const auto filter = numbers.Floats(size_w);
    std::vector<uint16_t> y[2], dx[2];
    std::vector<float> dw[2];
    for (int n = 0; n < 2; n++) {
      y[n].resize(size_y);
      dx[n].resize(size_x);
      dw[n].resize(size_w);
      const auto dtype = cascade::Dtype::kBfloat16;
      const auto fast = cascade::Accumulation::kFast;
      levels[n]->Convolve(threads, dtype, fast, s, cascade::Epilogue{}, x.data(), filter.data(), y[n].data());
      levels[n]->ConvolveInputGradient(threads, dtype, fast, s, dy.data(), filter.data(), dx[n].data());
      levels[n]->ConvolveFilterGradient(threads, dtype, fast, s, x.data(), dy.data(), dw[n].data());
    }
    const bool same[] = {Same(y[0], y[1]), Same(dx[0], dx[1]), Same(dw[0], dw[1])};
    std::printf("%ld x %ld x %ld, %ld -> %ld, stride %ld: y %s, dx %s, dw %s\n", long(s.batch), long(s.height), long(s.width), long(s.inputs),
                long(s.outputs), long(s.stride), same[0] ? "same" : "DIFFERS", same[1] ? "same" : "DIFFERS", same[2] ? "same" : "DIFFERS");
    if (!same[0] || !same[1] || !same[2]) return 1;
  }
  return 0;
}
