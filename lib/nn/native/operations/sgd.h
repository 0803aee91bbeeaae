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
  void Compute(OpKernelContext* context, const Arithmetic& arithmetic, const Threads& threads) override {
    const Tensor& weight = context->input(0);
    const float* settings = Floats(context->input(3));
    float* next_weight = FloatOutput(context, 0, weight.shape());
    float* next_velocity = FloatOutput(context, 1, weight.shape());
    if (next_weight == nullptr || next_velocity == nullptr) return;
    arithmetic.Sgd(threads, weight.NumElements(), {settings[0], settings[1], settings[2]}, Floats(weight), Floats(context->input(1)),
                   Floats(context->input(2)), next_weight, next_velocity);
  }
};

REGISTER_OP("CascadeSgd")
    .Input("weight: float").Input("velocity: float").Input("gradient: float").Input("settings: float")
    .Output("next_weight: float").Output("next_velocity: float");

REGISTER_KERNEL_BUILDER(Name("CascadeSgd").Device(DEVICE_CPU), SgdOp);

}  // namespace
}  // namespace cascade
