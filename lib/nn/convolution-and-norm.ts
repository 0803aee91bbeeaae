import { convolution, type ConvolutionSpec, type Convolved } from "./convolution.js";
import { kernels } from "./backend/chosen-kernels.js";
import { type Tensor4D, tf } from "./tensorflow.js";
import { noPullback, parameter, type Pass, type Sequence } from "./pass.js";
import { foldedRows, keepsSteps, temporalBatchNorm } from "./temporal-batch-norm.js";

/**
 * A convolution, its batch norm and, where asked, a ReLU. In evaluation the norm is no more than a gain and a bias,
 * which the convolution's results take on their way out.
 */
export function convolutionAndNorm(
  pass: Pass,
  spec: ConvolutionSpec,
  norm: string,
  x: Sequence,
  relu: boolean,
): Convolved {
  if (pass.kind === "evaluation" && keepsSteps(pass, norm, x.timeline)) {
    const filter = parameter(pass, `${spec.name}.weight`) as Tensor4D;
    const values = tf.tidy(() =>
      kernels.convolve(
        x.values,
        filter,
        spec.stride,
        pass.precision,
        foldedRows(pass, norm, x.timeline, relu),
      ),
    );
    return { y: { values, timeline: x.timeline }, pullback: noPullback, filterPullback: noPullback };
  }
  const convolved = convolution(pass, spec, x);
  const normalized = temporalBatchNorm(pass, norm, convolved.y, relu);
  return {
    y: normalized.y,
    pullback: (dy) => convolved.pullback(normalized.pullback(dy)),
    filterPullback: (dy) => {
      convolved.filterPullback(normalized.pullback(dy));
    },
  };
}
