// The meeting of a delayed residual and an instant shortcut.

#pragma once

#include "operation.h"

namespace cascade {
namespace {

class MergeOperation : public Operation {
 public:
  explicit MergeOperation(OpKernelConstruction* c)
      : Operation(c), plan{Integers(c, "residual_rows"), Integers(c, "shortcut_rows"), Integers(c, "rows"), Integers(c, "residual"),
                           Integers(c, "shortcut"), Attribute<int64_t>(c, "first_counted"), Attribute<float>(c, "carry"),
                           Attribute<float>(c, "gain"), Attribute<bool>(c, "relu")} {}

 protected:
  static int64_t ValuesOfRow(const Tensor& x) { return x.dim_size(1) * x.dim_size(2) * x.dim_size(3); }
  static TensorShape ShapeLike(const Tensor& x, const std::vector<int64_t>& rows) {
    return TensorShape({SumOf(rows), x.dim_size(1), x.dim_size(2), x.dim_size(3)});
  }

  const MergePlan plan;
};

class MergeOp final : public MergeOperation {
 public:
  using MergeOperation::MergeOperation;

 protected:
  void Compute(const Call& call) override {
    const Tensor& u = call.Input(0);
    void* y = call.Output(0, ShapeLike(u, plan.rows));
    call.arithmetic.Merge(call.threads, call.DtypeOf(0), plan, ValuesOfRow(u), call.Data(0), call.Data(1), y);
  }
};

class MergeGradientOp final : public MergeOperation {
 public:
  using MergeOperation::MergeOperation;

 protected:
  void Compute(const Call& call) override {
    const Tensor& dy = call.Input(0);
    void* dresidual = call.Output(0, ShapeLike(dy, plan.residual_rows));
    void* dshortcut = call.Output(1, ShapeLike(dy, plan.shortcut_rows));
    call.arithmetic.MergeGradient(call.threads, call.DtypeOf(0), plan, ValuesOfRow(dy), call.Data(0), call.Data(1), dresidual, dshortcut);
  }
};

#define MERGE_OPERATION(name)                                                                                                      \
  REGISTER_OP(name)                                                                                                                \
      .Attr("T: {float, bfloat16}").Attr("residual_rows: list(int)").Attr("shortcut_rows: list(int)").Attr("rows: list(int)")      \
      .Attr("residual: list(int)").Attr("shortcut: list(int)")                                                                     \
      .Attr("first_counted: int").Attr("carry: float").Attr("gain: float").Attr("relu: bool")

MERGE_OPERATION("CascadeMerge").Input("residual_values: T").Input("shortcut_values: T").Output("y: T");
MERGE_OPERATION("CascadeMergeGradient").Input("dy: T").Input("y: T").Output("dresidual: T").Output("dshortcut: T");

REGISTER_OPERATION("CascadeMerge", MergeOp);
REGISTER_OPERATION("CascadeMergeGradient", MergeGradientOp);

}  // namespace
}  // namespace cascade
