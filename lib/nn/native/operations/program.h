// Opening a program, beginning it on some images, and taking it on to a timestep. Plan and run are resources, which are freed
// with the last tensor that holds them.

#pragma once

#include "program-run.h"
#include "tensorflow/core/framework/resource_handle.h"
#include "tensorflow/core/framework/resource_mgr.h"

namespace cascade {
namespace {

using tensorflow::ResourceHandle;

class ProgramOperation : public Operation {
 protected:
  using Operation::Operation;

  static void Give(OpKernelContext* context, tensorflow::ResourceBase* resource, const tensorflow::TypeIndex& type) {
    Tensor handle(tensorflow::DT_RESOURCE, TensorShape({}));
    handle.scalar<ResourceHandle>()() = ResourceHandle::MakeRefCountingHandle(resource, context->device()->name(), type);
    context->set_output(0, handle);
  }

  template <typename Resource>
  static tensorflow::core::RefCountPtr<Resource> Taken(OpKernelContext* context) {
    tensorflow::core::RefCountPtr<Resource> resource;
    const auto status = tensorflow::LookupResource(context, tensorflow::HandleFromInput(context, 0), &resource);
    if (!status.ok()) throw std::invalid_argument("what is given is no such program");
    return resource;
  }
};

class OpenProgramOp final : public ProgramOperation {
 public:
  explicit OpenProgramOp(OpKernelConstruction* c)
      : ProgramOperation(c), packing_{Attribute<bool>(c, "integers"), Attribute<bool>(c, "several")} {}

 protected:
  void Compute(const Call& call) override {
    const auto program = call.Input(0).flat<int32_t>();
    std::vector<Tensor> constants;
    for (int n = 1; n < call.context->num_inputs(); n++) constants.push_back(call.Input(n));
    auto text = ProgramReader(program.data(), program.size()).Read();
    tensorflow::core::RefCountPtr<Plan> plan(new Plan(call.arithmetic, call.threads, packing_, std::move(text), std::move(constants)));
    Machine(*plan, plan->store, false, 1, call.threads).Advance(-1, kNever - 1);
    Give(call.context, plan.release(), tensorflow::TypeIndex::Make<Plan>());
  }

 private:
  const Packing packing_;
};

class StartProgramOp final : public ProgramOperation {
 public:
  explicit StartProgramOp(OpKernelConstruction* c) : ProgramOperation(c), batch_(Attribute<int64_t>(c, "batch")) {}

 protected:
  void Compute(const Call& call) override {
    auto plan = Taken<Plan>(call.context);
    const auto& images = call.Input(1);
    const Value& value = plan->text.values.at(0);
    if (images.NumElements() != value.of_images * batch_ * value.Size()) throw std::invalid_argument("the images are of another size than the program");
    tensorflow::core::RefCountPtr<Run> run(new Run(std::move(plan), batch_));
    std::copy_n(images.flat<float>().data(), images.NumElements(), run->Images());
    Give(call.context, run.release(), tensorflow::TypeIndex::Make<Run>());
  }

 private:
  const int64_t batch_;
};

class AdvanceProgramOp final : public ProgramOperation {
 public:
  explicit AdvanceProgramOp(OpKernelConstruction* c) : ProgramOperation(c), timestep_(Attribute<int64_t>(c, "timestep")) {}

 protected:
  void Compute(const Call& call) override {
    const auto run = Taken<Run>(call.context);
    if (timestep_ <= run->Done() || timestep_ >= run->Timesteps()) throw std::invalid_argument("a program goes on to a later timestep that it has");
    float* logits = call.FloatOutput(0, TensorShape({timestep_ - run->Done(), run->Batch(), run->Classes()}));
    run->Advance(timestep_, call.threads, logits);
  }

 private:
  const int64_t timestep_;
};

REGISTER_OP("CascadeOpenProgram").Attr("N: int").Attr("integers: bool").Attr("several: bool").Input("program: int32").Input("constants: N * float").Output("plan: resource").SetIsStateful();
REGISTER_OP("CascadeStartProgram").Attr("batch: int").Input("plan: resource").Input("images: float").Output("run: resource").SetIsStateful();
REGISTER_OP("CascadeAdvanceProgram").Attr("timestep: int").Input("run: resource").Output("logits: float").SetIsStateful();

REGISTER_KERNEL_BUILDER(Name("CascadeOpenProgram").Device(DEVICE_CPU), OpenProgramOp);
REGISTER_KERNEL_BUILDER(Name("CascadeStartProgram").Device(DEVICE_CPU), StartProgramOp);
REGISTER_KERNEL_BUILDER(Name("CascadeAdvanceProgram").Device(DEVICE_CPU), AdvanceProgramOp);

}  // namespace
}  // namespace cascade
