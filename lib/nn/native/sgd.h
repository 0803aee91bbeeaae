// Stochastic gradient descent with Nesterov momentum.

#pragma once

#include "common.h"

namespace cascade {
namespace {

// g <- gradient + decay w;  v <- momentum v + g;  w <- w - rate (g + momentum v).  settings: [rate, momentum, decay].
class SgdOp : public OpKernel {
 public:
  explicit SgdOp(OpKernelConstruction* c) : OpKernel(c) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& weight = context->input(0);
    const float* settings = context->input(3).flat<float>().data();
    const float rate = settings[0], momentum = settings[1], decay = settings[2];
    Tensor *next_weight = nullptr, *next_velocity = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, weight.shape(), &next_weight));
    OP_REQUIRES_OK(context, context->allocate_output(1, weight.shape(), &next_velocity));
    const float* __restrict w = weight.flat<float>().data();
    const float* __restrict v = context->input(1).flat<float>().data();
    const float* __restrict g = context->input(2).flat<float>().data();
    float* __restrict w2 = next_weight->flat<float>().data();
    float* __restrict v2 = next_velocity->flat<float>().data();
    ParallelFor(context, weight.NumElements(), 2, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const float decayed = g[i] + decay * w[i];
        const float velocity = momentum * v[i] + decayed;
        v2[i] = velocity;
        w2[i] = w[i] - rate * (decayed + momentum * velocity);
      }
    });
  }
};

REGISTER_OP("CascadeSgd")
    .Input("weight: float").Input("velocity: float").Input("gradient: float").Input("settings: float")
    .Output("next_weight: float").Output("next_velocity: float");

REGISTER_KERNEL_BUILDER(Name("CascadeSgd").Device(DEVICE_CPU), SgdOp);

}  // namespace
}  // namespace cascade
