/**
 * The layout of weights in PyTorch, which the authors' and the opponents' code is written in (filters [out, in, height,
 * width], linear [out, in], or [out, in, side, side] where it reads flattened maps), against this project's ([height,
 * width, in, out], [in, out], [side, side, in, out]). Everything else is the same in both.
 */
interface TensorLayout {
  /** Shape in this project's layout. */
  readonly shape: readonly number[];
  readonly role: string;
  readonly mapSide?: number;
}

export function authorsShape({ role, shape }: Omit<TensorLayout, "mapSide">): number[] {
  return authorsAxes(role, shape).map((axis) => shape[axis] ?? 1);
}

/** Values in the authors' layout -> values in this project's. */
export function fromAuthorsLayout(tensor: TensorLayout, values: Float32Array): Float32Array {
  const { role, shape } = unflattened(tensor);
  const axes = authorsAxes(role, shape);
  const inverse = axes.map((_, axis) => axes.indexOf(axis));
  return permute(values, authorsShape({ role, shape }), inverse);
}

/** Values in this project's layout -> values in the authors'. */
export function toAuthorsLayout(tensor: TensorLayout, values: Float32Array): Float32Array {
  const { role, shape } = unflattened(tensor);
  return permute(values, shape, authorsAxes(role, shape));
}

/** A linear weight that reads flattened maps is laid out as a filter of their size. */
function unflattened({ role, shape, mapSide = 1 }: TensorLayout): TensorLayout {
  const [inputs = 1, classes = 1] = shape;
  if (role !== "linear" || mapSide === 1) return { role, shape };
  return { role: "filter", shape: [mapSide, mapSide, inputs / mapSide ** 2, classes] };
}

/** For each axis of the authors' layout, the axis of this project's that it is. */
function authorsAxes(role: string, shape: readonly number[]): number[] {
  if (role === "filter") return [3, 2, 0, 1];
  if (role === "linear") return [1, 0];
  return shape.map((_, axis) => axis);
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
