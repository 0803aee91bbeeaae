// Stochastic gradient descent with Nesterov momentum.

#pragma once

#include "operation.h"

namespace cascade {
namespace {

// settings: [rate, momentum, decay]
class SgdOp final : public Operation {
 public:
  using Operation::Operation;

 protected:
  void Compute(const Call& call) override {
    const Tensor& weight = call.Input(0);
    const float* settings = call.Floats(3);
    float* next_weight = call.FloatOutput(0, weight.shape());
    float* next_velocity = call.FloatOutput(1, weight.shape());
    call.arithmetic.Sgd(call.threads, weight.NumElements(), {settings[0], settings[1], settings[2]}, call.Floats(0), call.Floats(1),
                        call.Floats(2), next_weight, next_velocity);
  }
};

REGISTER_OP("CascadeSgd")
    .Input("weight: float").Input("velocity: float").Input("gradient: float").Input("settings: float")
    .Output("next_weight: float").Output("next_velocity: float");

REGISTER_KERNEL_BUILDER(Name("CascadeSgd").Device(DEVICE_CPU), SgdOp);

}  // namespace
}  // namespace cascade
