// Stochastic gradient descent with Nesterov momentum.

#pragma once

#include "operation.h"

namespace cascade {
namespace {

// Of N parameters at once: weights, velocities and gradients one after the other, then settings [rate, momentum, decay].
class SgdOp final : public Operation {
 public:
  using Operation::Operation;

 protected:
  void Compute(const Call& call) override {
    const int parameters = call.context->num_inputs() / 3;
    const float* settings = call.Floats(3 * parameters);
    for (int i = 0; i < parameters; i++) {
      const Tensor& weight = call.Input(i);
      float* next_weight = call.FloatOutput(i, weight.shape());
      float* next_velocity = call.FloatOutput(parameters + i, weight.shape());
      call.arithmetic.Sgd(call.threads, weight.NumElements(), {settings[0], settings[1], settings[2]}, call.Floats(i),
                          call.Floats(parameters + i), call.Floats(2 * parameters + i), next_weight, next_velocity);
    }
  }
};

REGISTER_OP("CascadeSgd")
    .Attr("N: int")
    .Input("weights: N * float").Input("velocities: N * float").Input("gradients: N * float").Input("settings: float")
    .Output("next_weights: N * float").Output("next_velocities: N * float");

REGISTER_KERNEL_BUILDER(Name("CascadeSgd").Device(DEVICE_CPU), SgdOp);

}  // namespace
}  // namespace cascade
