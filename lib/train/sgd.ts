import type { NamedTensors } from "../nn/pass.js";
import { kernels } from "../nn/backend/chosen-kernels.js";
import type { SgdStep } from "../nn/backend/kernels.js";
import type { Tensor } from "../nn/tensorflow.js";
import { valueAt } from "../nn/timeline.js";

/**
 * A step of stochastic gradient descent with Nesterov momentum and weight decay for every parameter that has a gradient; the others stay as they are:
 *
 *     g <- gradient + weightDecay w
 *     v <- momentum v + g                  (v = 0 before the first step)
 *     w <- w - learningRate (g + momentum v)
 *
 * Returns new parameters and velocities; the old tensors that were replaced are freed, as are the gradients.
 */
export function sgdStep(
  parameters: NamedTensors,
  velocities: NamedTensors,
  gradients: NamedTensors,
  step: SgdStep,
): { parameters: NamedTensors; velocities: NamedTensors } {
  const nextParameters = new Map<string, Tensor>(parameters);
  const nextVelocities = new Map<string, Tensor>(velocities);
  const names = [...gradients.keys()];
  const updates = [...gradients].map(([name, gradient]) => {
    const weight = parameters.get(name);
    if (weight === undefined) throw new RangeError(`a gradient names "${name}", which is no parameter`);
    return { weight, velocity: velocities.get(name), gradient };
  });
  for (const [i, { weight, velocity }] of kernels.updateParameters(updates, step).entries()) {
    const name = valueAt(names, i);
    nextParameters.set(name, weight);
    nextVelocities.set(name, velocity);
  }
  for (const { weight, velocity, gradient } of updates) {
    weight.dispose();
    velocity?.dispose();
    gradient.dispose();
  }
  return { parameters: nextParameters, velocities: nextVelocities };
}
