// The name of the level in use; fails with the reason where there is none.

#pragma once

#include "operation.h"

namespace cascade {
namespace {

class LevelOp final : public OpKernel {
 public:
  explicit LevelOp(OpKernelConstruction* c) : OpKernel(c) {}
  void Compute(OpKernelContext* context) override {
    const Chosen& chosen = ChosenLevel();
    OP_REQUIRES(context, chosen.arithmetic != nullptr, tensorflow::errors::FailedPrecondition(chosen.problem));
    Tensor* level = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({}), &level));
    level->scalar<tensorflow::tstring>()() = chosen.level;
  }
};

REGISTER_OP("CascadeLevel").Output("level: string");
REGISTER_KERNEL_BUILDER(Name("CascadeLevel").Device(DEVICE_CPU), LevelOp);

}  // namespace
}  // namespace cascade
