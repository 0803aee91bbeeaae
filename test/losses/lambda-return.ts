/**
 * TD(lambda) targets as the explicit sum of the paper, with p = softmax(logits):
 *
 *     G[t] = (1 - lambda) sum_{i=1}^{T-1-t} lambda^(i-1) p[t+i] + lambda^(T-1-t) onehot(y)
 *
 * logits: [T, B, K] row-major -> [T, B, K].
 */
export function lambdaReturn(
  logits: ArrayLike<number>,
  labels: readonly number[],
  timesteps: number,
  lambda: number,
): Float64Array {
  const batch = labels.length;
  const classes = logits.length / timesteps / batch;
  const targets = new Float64Array(logits.length);
  for (let t = 0; t < timesteps; t++)
    for (let b = 0; b < batch; b++)
      for (let k = 0; k < classes; k++) {
        const remaining = timesteps - 1 - t;
        let target = labels[b] === k ? lambda ** remaining : 0;
        for (let i = 1; i <= remaining; i++) {
          const p = Math.exp(logSoftmax(logits, ((t + i) * batch + b) * classes, classes, k));
          target += (1 - lambda) * lambda ** (i - 1) * p;
        }
        targets[(t * batch + b) * classes + k] = target;
      }
  return targets;
}

/** Cross-entropy of fixed targets against logits at each timestep, mean over the batch: [T, B, K] -> [T]. */
export function crossEntropies(
  logits: ArrayLike<number>,
  targets: ArrayLike<number>,
  timesteps: number,
  batch: number,
): number[] {
  const classes = logits.length / timesteps / batch;
  return Array.from({ length: timesteps }, (_, t) => {
    let sum = 0;
    for (let b = 0; b < batch; b++)
      for (let k = 0; k < classes; k++) {
        const start = (t * batch + b) * classes;
        sum -= (targets[start + k] as number) * logSoftmax(logits, start, classes, k);
      }
    return sum / batch;
  });
}

function logSoftmax(logits: ArrayLike<number>, start: number, classes: number, k: number): number {
  const row = Array.from({ length: classes }, (_, i) => logits[start + i] as number);
  const largest = Math.max(...row);
  return (
    (row[k] as number) - largest - Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - largest), 0))
  );
}
