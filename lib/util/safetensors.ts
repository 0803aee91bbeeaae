import { UserError } from "./errors.js";
import { isRecord } from "./records.js";

/** A tensor at rest: row-major values and their shape. */
export type StoredTensor =
  | { readonly dtype: "F32"; readonly shape: readonly number[]; readonly data: Float32Array }
  | { readonly dtype: "F64"; readonly shape: readonly number[]; readonly data: Float64Array }
  | { readonly dtype: "I32"; readonly shape: readonly number[]; readonly data: Int32Array }
  | { readonly dtype: "U8"; readonly shape: readonly number[]; readonly data: Uint8Array };

type Dtype = StoredTensor["dtype"];

const BYTES_PER_VALUE: Readonly<Record<Dtype, number>> = { F64: 8, F32: 4, I32: 4, U8: 1 };
/** The specification's own limit, against headers that would exhaust the memory. */
const LARGEST_HEADER = 100_000_000;
const LENGTH_BYTES = 8;
const METADATA = "__metadata__";

/** What a safetensors file holds. */
export interface TensorFile {
  readonly tensors: Map<string, StoredTensor>;
  readonly metadata: Record<string, string>;
}

/**
 * Tensors as a safetensors file, in parts to be written one after another: 8 bytes little-endian header length,
 * JSON header padded with spaces to a multiple of 8 bytes, then the values (little-endian, row-major, no gaps).
 * Wide types come first and names are sorted, so that values are aligned and equal content gives equal bytes.
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array[] {
  const ordered = [...tensors].sort(
    ([nameA, a], [nameB, b]) =>
      BYTES_PER_VALUE[b.dtype] - BYTES_PER_VALUE[a.dtype] || (nameA < nameB ? -1 : 1),
  );
  const entries: [string, unknown][] = Object.keys(metadata).length > 0 ? [[METADATA, metadata]] : [];
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const [name, { dtype, shape, data }] of ordered) {
    if (name === METADATA) throw new RangeError(`a tensor cannot be called ${METADATA}`);
    if (elementCount(shape) !== data.length) {
      throw new RangeError(`tensor ${name} has ${data.length} values but the shape [${shape.join(", ")}]`);
    }
    entries.push([name, { dtype, shape, data_offsets: [offset, offset + data.byteLength] }]);
    parts.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    offset += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const header = new Uint8Array(LENGTH_BYTES + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - LENGTH_BYTES), true);
  header.set(json, LENGTH_BYTES);
  return [header, ...parts];
}

/**
 * Reads a whole safetensors file; the tensors are views of `bytes` where its alignment allows. Throws a UserError
 * that names `where` and the tensor if the file is truncated, has bytes left over, or contradicts itself.
 */
export function decodeSafetensors(bytes: Uint8Array, where: string): TensorFile {
  const fail = (reason: string): UserError =>
    new UserError(`${where} is not a valid safetensors file: ${reason}`);
  const { header, valuesStart } = readHeader(bytes, fail);
  const values = new Uint8Array(bytes.buffer, bytes.byteOffset + valuesStart, bytes.length - valuesStart);
  const { [METADATA]: metadata = {}, ...entries } = header;
  if (!isStringRecord(metadata)) throw fail(`${METADATA} must map texts to texts`);

  const described = Object.entries(entries)
    .map(([name, entry]) => ({ name, ...describedTensor(name, entry, fail) }))
    .sort((a, b) => a.start - b.start || a.end - b.end);
  let expectedStart = 0;
  for (const { name, start, end } of described) {
    if (start !== expectedStart) {
      throw fail(`tensor ${name} starts at byte ${start} of the values, where ${expectedStart} was due`);
    }
    if (end > values.length) {
      throw fail(
        `tensor ${name} ends at byte ${end} of the values, but only ${values.length} are there (truncated?)`,
      );
    }
    expectedStart = end;
  }
  if (expectedStart !== values.length) {
    throw fail(`${values.length - expectedStart} bytes after the last tensor belong to none`);
  }
  const tensors = new Map(
    described.map(({ name, dtype, shape, start, end }) => [
      name,
      storedTensor(dtype, shape, values.subarray(start, end)),
    ]),
  );
  return { tensors, metadata };
}

type Fail = (reason: string) => UserError;

function readHeader(bytes: Uint8Array, fail: Fail): { header: Record<string, unknown>; valuesStart: number } {
  if (bytes.length < LENGTH_BYTES) {
    throw fail(`it has ${bytes.length} bytes, too few for the header length (truncated?)`);
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  if (length > LARGEST_HEADER)
    throw fail(`its header claims ${String(length)} bytes, more than ${LARGEST_HEADER}`);
  const valuesStart = LENGTH_BYTES + Number(length);
  if (valuesStart > bytes.length) {
    throw fail(`its header claims ${String(length)} bytes, but the file ends before (truncated?)`);
  }
  return { header: parsedHeader(bytes.subarray(LENGTH_BYTES, valuesStart), fail), valuesStart };
}

function parsedHeader(json: Uint8Array, fail: Fail): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(json));
  } catch {
    throw fail("its header is not JSON");
  }
  if (json[0] !== 0x7b || !isRecord(header)) throw fail("its header is not a JSON object");
  return header;
}

function describedTensor(
  name: string,
  entry: unknown,
  fail: Fail,
): { dtype: Dtype; shape: readonly number[]; start: number; end: number } {
  if (!isRecord(entry)) throw fail(`tensor ${name} is not described by an object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (!isDtype(dtype)) {
    throw fail(
      `tensor ${name} has the type ${JSON.stringify(dtype)}; only ${Object.keys(BYTES_PER_VALUE).join(", ")} are read`,
    );
  }
  if (!isSizes(shape)) throw fail(`tensor ${name} has no list of whole numbers as its shape`);
  const [start, end] = isSizes(offsets) && offsets.length === 2 ? offsets : [];
  if (start === undefined || end === undefined || end < start) {
    throw fail(`tensor ${name} has no valid data_offsets [start, end]`);
  }
  const needed = elementCount(shape) * BYTES_PER_VALUE[dtype];
  if (needed !== end - start) {
    throw fail(
      `tensor ${name} of type ${dtype} and shape [${shape.join(", ")}] needs ${needed} bytes but has ${end - start}`,
    );
  }
  return { dtype, shape, start, end };
}

function storedTensor(dtype: Dtype, shape: readonly number[], view: Uint8Array): StoredTensor {
  const aligned = view.byteOffset % BYTES_PER_VALUE[dtype] === 0 ? view : view.slice();
  const { buffer, byteOffset } = aligned;
  const count = elementCount(shape);
  switch (dtype) {
    case "F32":
      return { dtype, shape, data: new Float32Array(buffer, byteOffset, count) };
    case "F64":
      return { dtype, shape, data: new Float64Array(buffer, byteOffset, count) };
    case "I32":
      return { dtype, shape, data: new Int32Array(buffer, byteOffset, count) };
    case "U8":
      return { dtype, shape, data: aligned };
  }
}

function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function isStringRecord(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((text) => typeof text === "string");
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && Number(size) >= 0);
}

function isDtype(value: unknown): value is Dtype {
  return typeof value === "string" && Object.hasOwn(BYTES_PER_VALUE, value);
}
