// Stochastic gradient descent with Nesterov momentum.

#pragma once

#include "lanes.h"

namespace cascade {
namespace {

// g <- gradient + decay w;  v <- momentum v + g;  w <- w - rate (g + momentum v)
inline void Sgd(const Threads& threads, int64_t count, const SgdSettings& settings, const float* __restrict weight,
                const float* __restrict velocity, const float* __restrict gradient, float* __restrict next_weight,
                float* __restrict next_velocity) {
  const auto [rate, momentum, decay] = settings;
  threads.For(count, 2, [&, rate = rate, momentum = momentum, decay = decay](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const float decayed = gradient[i] + decay * weight[i];
      const float v = momentum * velocity[i] + decayed;
      next_velocity[i] = v;
      next_weight[i] = weight[i] - rate * (decayed + momentum * v);
    }
  });
}

}  // namespace
}  // namespace cascade
