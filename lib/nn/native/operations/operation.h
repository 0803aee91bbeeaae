// What the project's TensorFlow operations share: each takes its tensors' memory and hands it to the arithmetic of the chosen
// level. lib/nn/backend/own-kernels.ts calls them, composed-kernels.ts beside it holds the same functions composed of
// TensorFlow's own operations, and a test holds the two together.

#pragma once

#include <algorithm>
#include <numeric>

#include "levels.h"
#include "team.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"

namespace cascade {
namespace {

using tensorflow::bfloat16;
using tensorflow::DEVICE_CPU;
using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Status;
using tensorflow::Tensor;
using tensorflow::TensorShape;

template <typename Value>
Value Attribute(OpKernelConstruction* construction, const char* name) {
  Value value{};
  const auto status = construction->GetAttr(name, &value);
  if (!status.ok()) construction->CtxFailure(status);
  return value;
}

inline std::vector<int64_t> Integers(OpKernelConstruction* construction, const char* name) {
  return Attribute<std::vector<int64_t>>(construction, name);
}

// One run of an operation: what it reads, what it computes with, and room for what it gives.
class Call {
 public:
  Call(OpKernelContext* context, const Arithmetic& arithmetic)
      : arithmetic(arithmetic), threads(context->device()->tensorflow_cpu_worker_threads()->workers), context(context) {}

  const Tensor& Input(int index) const { return context->input(index); }
  const float* Floats(int index) const { return Input(index).flat<float>().data(); }
  // Of activations, which are stored as float or as bfloat16.
  const void* Data(int index) const { return Input(index).tensor_data().data(); }
  Dtype DtypeOf(int index) const { return Input(index).dtype() == tensorflow::DT_BFLOAT16 ? Dtype::kBfloat16 : Dtype::kFloat32; }

  void* Output(int index, const TensorShape& shape) const {
    Tensor* tensor = nullptr;
    Require(context->allocate_output(index, shape, &tensor));
    return const_cast<char*>(tensor->tensor_data().data());
  }
  float* FloatOutput(int index, const TensorShape& shape) const { return static_cast<float*>(Output(index, shape)); }

  static void Require(const Status& status) {
    if (!status.ok()) throw status;
  }

  const Arithmetic& arithmetic;
  const Team threads;
  OpKernelContext* const context;
};

// An operation computes, or throws what is wrong.
class Operation : public OpKernel {
 public:
  explicit Operation(OpKernelConstruction* construction) : OpKernel(construction) {}

  void Compute(OpKernelContext* context) final {
    const auto& [level, arithmetic, problem] = ChosenLevel();
    OP_REQUIRES(context, arithmetic != nullptr, tensorflow::errors::FailedPrecondition(problem));
    try {
      Compute(Call(context, *arithmetic));
    } catch (const Status& status) {
      context->CtxFailure(status);
    } catch (const std::exception& error) {
      context->CtxFailure(tensorflow::errors::InvalidArgument(error.what()));
    }
  }

 protected:
  virtual void Compute(const Call& call) = 0;
};

inline int64_t SumOf(const std::vector<int64_t>& rows) { return std::accumulate(rows.begin(), rows.end(), int64_t{0}); }

inline void RequireRows(const std::vector<int64_t>& rows, const Tensor& x) {
  if (x.dims() != 4 || x.dim_size(0) != SumOf(rows))
    throw Status(tensorflow::errors::InvalidArgument("the rows of the distinct steps add up to ", SumOf(rows), ", the input is ", x.shape().DebugString()));
}

// Registers an operation for values stored as float and as bfloat16.
#define REGISTER_OPERATION(name, Op)                                                                   \
  REGISTER_KERNEL_BUILDER(Name(name).Device(DEVICE_CPU).TypeConstraint<float>("T"), Op);               \
  REGISTER_KERNEL_BUILDER(Name(name).Device(DEVICE_CPU).TypeConstraint<bfloat16>("T"), Op)

}  // namespace
}  // namespace cascade
