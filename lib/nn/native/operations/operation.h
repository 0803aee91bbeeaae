// What the project's TensorFlow operations share: each takes its tensors' memory and hands it to the arithmetic of the chosen
// level. lib/nn/backend/own-kernels.ts calls them, composed-kernels.ts beside it holds the same functions composed of
// TensorFlow's own operations, and a test holds the two together.

#pragma once

#include <algorithm>

#include "levels.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/lib/core/threadpool.h"

namespace cascade {
namespace {

using tensorflow::bfloat16;
using tensorflow::DEVICE_CPU;
using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
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

class TensorFlowThreads final : public Threads {
 public:
  explicit TensorFlowThreads(OpKernelContext* context) : pool_(context->device()->tensorflow_cpu_worker_threads()->workers) {}
  void For(int64_t items, int64_t cost, const Work& work) const override { pool_->ParallelFor(items, std::max<int64_t>(cost, 1), work); }

 private:
  tensorflow::thread::ThreadPool* const pool_;
};

// An operation on activations stored as float or as bfloat16.
class Operation : public OpKernel {
 public:
  explicit Operation(OpKernelConstruction* construction) : OpKernel(construction) {}

  void Compute(OpKernelContext* context) final {
    const auto& [level, arithmetic, problem] = ChosenLevel();
    OP_REQUIRES(context, arithmetic != nullptr, tensorflow::errors::FailedPrecondition(problem));
    Compute(context, *arithmetic, TensorFlowThreads(context));
  }

 protected:
  virtual void Compute(OpKernelContext* context, const Arithmetic& arithmetic, const Threads& threads) = 0;

  static Dtype DtypeOf(const Tensor& tensor) { return tensor.dtype() == tensorflow::DT_BFLOAT16 ? Dtype::kBfloat16 : Dtype::kFloat32; }
  static const void* Data(const Tensor& tensor) { return tensor.tensor_data().data(); }
  static const float* Floats(const Tensor& tensor) { return tensor.flat<float>().data(); }

  // Room for result `index`, or null after saying what is wrong.
  static void* Output(OpKernelContext* context, int index, const TensorShape& shape) {
    Tensor* tensor = nullptr;
    const auto status = context->allocate_output(index, shape, &tensor);
    if (!status.ok()) context->CtxFailure(status);
    return status.ok() ? const_cast<char*>(tensor->tensor_data().data()) : nullptr;
  }
  static float* FloatOutput(OpKernelContext* context, int index, const TensorShape& shape) {
    return static_cast<float*>(Output(context, index, shape));
  }

  static bool ShapesAgree(OpKernelContext* context, const std::vector<int64_t>& rows, const Tensor& x) {
    int64_t total = 0;
    for (const int64_t count : rows) total += count;
    if (x.dims() == 4 && x.dim_size(0) == total) return true;
    context->CtxFailure(tensorflow::errors::InvalidArgument("the rows of the distinct steps add up to ", total, ", the input is ", x.shape().DebugString()));
    return false;
  }
};

// Registers an operation for values stored as float and as bfloat16.
#define REGISTER_OPERATION(name, Op)                                                                   \
  REGISTER_KERNEL_BUILDER(Name(name).Device(DEVICE_CPU).TypeConstraint<float>("T"), Op);               \
  REGISTER_KERNEL_BUILDER(Name(name).Device(DEVICE_CPU).TypeConstraint<bfloat16>("T"), Op)

}  // namespace
}  // namespace cascade
