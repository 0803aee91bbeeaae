import { UserError } from "../util/errors.js";

/** A NumPy array: its values as doubles, row-major. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

type ReadValue = (view: DataView, at: number, little: boolean) => number;

/** Read as doubles, they take 128 MiB; the longest list of C-scores, ImageNet's, has 1.3 million. */
const MAX_VALUES = 2 ** 24;

/** Element types without their byte order, each with the way to read one: kind and bytes. */
const ELEMENTS: Readonly<Record<string, ReadValue>> = {
  f8: (view, at, little) => view.getFloat64(at, little),
  f4: (view, at, little) => view.getFloat32(at, little),
  f2: (view, at, little) => halfPrecision(view.getUint16(at, little)),
  i8: (view, at, little) => Number(view.getBigInt64(at, little)),
  u8: (view, at, little) => Number(view.getBigUint64(at, little)),
  i4: (view, at, little) => view.getInt32(at, little),
  u4: (view, at, little) => view.getUint32(at, little),
  i2: (view, at, little) => view.getInt16(at, little),
  u2: (view, at, little) => view.getUint16(at, little),
  i1: (view, at) => view.getInt8(at),
  u1: (view, at) => view.getUint8(at),
  b1: (view, at) => view.getUint8(at),
};

/** 1 sign bit, 5 bits of exponent, 10 of fraction; below 2^-14 the steps stay the same. */
function halfPrecision(bits: number): number {
  const exponent = (bits >> 10) & 0x1f;
  const fraction = (bits & 0x3ff) / 1024;
  const sign = bits >> 15 === 0 ? 1 : -1;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * 2 ** -14 * fraction : sign * 2 ** (exponent - 15) * (1 + fraction);
}

/**
 * Reads an array in NumPy's `.npy` format, version 1 or 2 (and 3, which differs in field names only).
 *
 * `where` names the array in messages. Throws a UserError for anything else, pickled objects above all:
 * reading those would mean running code from the file.
 */
export function parseNpy(content: Uint8Array, where: string): NpyArray {
  const refuse = (reason: string) => new UserError(`${where} ${reason}`);
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const magic = String.fromCharCode(...content.subarray(0, 6));
  if (magic !== "\x93NUMPY" || content.length < 12) throw refuse("is no NumPy array");
  const version = view.getUint8(6);
  if (version < 1 || version > 3) throw refuse(`has .npy version ${version}; 1 to 3 are known`);
  const headerStart = version === 1 ? 10 : 12;
  const dataStart = headerStart + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  const header = new TextDecoder("latin1").decode(content.subarray(headerStart, dataStart));

  const [, descr] = /'descr'\s*:\s*'([^']*)'/.exec(header) ?? [];
  const [, fortran] = /'fortran_order'\s*:\s*(True|False)/.exec(header) ?? [];
  const [, dimensions] = /'shape'\s*:\s*\(([\d,\s]*)\)/.exec(header) ?? [];
  if (dataStart > content.length || fortran === undefined || dimensions === undefined)
    throw refuse("has a damaged .npy header");
  if (descr?.includes("O") === true) throw refuse("holds pickled Python objects, which are never read");
  const [, order = "", type = ""] = /^([<>|=])(\w+)$/.exec(descr ?? "") ?? [];
  const read = Object.hasOwn(ELEMENTS, type) ? ELEMENTS[type] : undefined;
  if (read === undefined)
    throw refuse(`has element type ${descr ?? "of a record"}; known are ${Object.keys(ELEMENTS).join(", ")}`);
  const bytes = Number(type.slice(1));
  const little = order !== ">";

  const shape = dimensions.split(",").flatMap((part) => (part.trim() === "" ? [] : [Number(part)]));
  if (fortran === "True" && shape.length > 1) throw refuse("is stored column by column; store it row by row");
  const count = shape.reduce((product, length) => product * length, 1);
  if (count > MAX_VALUES) throw refuse(`has ${count} values, more than ${MAX_VALUES}`);
  if (content.length - dataStart !== count * bytes)
    throw refuse(`has ${content.length - dataStart} bytes of data, its header promises ${count * bytes}`);
  return {
    shape,
    values: Float64Array.from({ length: count }, (_, i) => read(view, dataStart + i * bytes, little)),
  };
}
