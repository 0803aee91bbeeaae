import { UserError } from "../util/errors.js";
import { parsePickle, PickledArray } from "./pickle.js";

/**
 * A batch of the "Python version" of CIFAR, a pickled dictionary with `data` [N, 3072] and lists of labels, as the
 * records of the binary version: for each image its label bytes and its planes.
 *
 * `labels`: names of the lists, in the order of a record's label bytes.
 */
export function recordsOfPythonBatch(
  content: Uint8Array,
  labels: readonly string[],
  pixels: number,
  where: string,
): Uint8Array {
  const batch = parsePickle(content, where);
  const refuse = () =>
    new UserError(`${where} is no batch of CIFAR's Python version: it lacks data or ${labels.join(" or ")}`);
  if (!(batch instanceof Map)) throw refuse();
  const data: unknown = batch.get("data");
  const lists = labels.map((name): unknown => batch.get(name));
  if (!(data instanceof PickledArray) || !lists.every(Array.isArray)) throw refuse();
  const [count, values] = data.shape;
  const isBatch =
    typeof count === "number" &&
    values === pixels &&
    /^[|<>=]?u1$/.test(data.dtype) &&
    !data.inColumns &&
    data.data.length === count * pixels &&
    lists.every((list) => list.length === count);
  if (!isBatch) throw refuse();
  const bytes = labels.length + pixels;
  const records = new Uint8Array(count * bytes);
  for (let n = 0; n < count; n++) {
    for (const [i, list] of lists.entries()) {
      const label: unknown = list[n];
      if (typeof label !== "number" || label < 0 || label > 255) throw refuse();
      records[n * bytes + i] = label;
    }
    records.set(data.data.subarray(n * pixels, (n + 1) * pixels), n * bytes + labels.length);
  }
  return records;
}
