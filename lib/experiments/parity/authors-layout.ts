/**
 * The authors' layout of weights (filters [out, in, height, width], linear [out, in]) against this project's
 * ([height, width, in, out], [in, out]). Everything else is the same in both.
 */
interface Laid {
  /** Shape in this project's layout. */
  readonly shape: readonly number[];
  readonly role: string;
}

export function authorsShape(tensor: Laid): number[] {
  return authorsAxes(tensor).map((axis) => tensor.shape[axis] ?? 1);
}

/** Values in the authors' layout -> values in this project's. */
export function fromAuthorsLayout(tensor: Laid, values: Float32Array): Float32Array {
  const axes = authorsAxes(tensor);
  const inverse = axes.map((_, axis) => axes.indexOf(axis));
  return permute(values, authorsShape(tensor), inverse);
}

/** Values in this project's layout -> values in the authors'. */
export function toAuthorsLayout(tensor: Laid, values: Float32Array): Float32Array {
  return permute(values, tensor.shape, authorsAxes(tensor));
}

/** For each axis of the authors' layout, the axis of this project's that it is. */
function authorsAxes(tensor: Laid): number[] {
  if (tensor.role === "filter") return [3, 2, 0, 1];
  if (tensor.role === "linear") return [1, 0];
  return tensor.shape.map((_, axis) => axis);
}

/** Transposes a row-major array so that axis i of the result is axis `axes[i]` of `shape`. */
function permute(values: Float32Array, shape: readonly number[], axes: readonly number[]): Float32Array {
  if (axes.every((axis, i) => axis === i)) return values;
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const extents = axes.map((axis) => shape[axis] ?? 1);
  const steps = axes.map((axis) => strides[axis] ?? 1);
  const result = new Float32Array(values.length);
  const index = axes.map(() => 0);
  for (let i = 0, source = 0; i < result.length; i++) {
    result[i] = values[source] as number;
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      const extent = extents[axis] as number;
      const step = steps[axis] as number;
      source += step;
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < extent) break;
      source -= extent * step;
      index[axis] = 0;
    }
  }
  return result;
}
