import { UserError } from "../util/errors.js";

/** A NumPy array: its values as doubles, row-major. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

type ReadValue = (view: DataView, at: number) => number;

/** Little-endian element types: bytes of an element and how one is read. */
const ELEMENTS: Readonly<Record<string, readonly [number, ReadValue]>> = {
  "<f8": [8, (view, at) => view.getFloat64(at, true)],
  "<f4": [4, (view, at) => view.getFloat32(at, true)],
  "<i8": [8, (view, at) => Number(view.getBigInt64(at, true))],
  "<u8": [8, (view, at) => Number(view.getBigUint64(at, true))],
  "<i4": [4, (view, at) => view.getInt32(at, true)],
  "<u4": [4, (view, at) => view.getUint32(at, true)],
  "<i2": [2, (view, at) => view.getInt16(at, true)],
  "<u2": [2, (view, at) => view.getUint16(at, true)],
  "|i1": [1, (view, at) => view.getInt8(at)],
  "|u1": [1, (view, at) => view.getUint8(at)],
  "|b1": [1, (view, at) => view.getUint8(at)],
};

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
  const [bytes, read] = ELEMENTS[descr ?? ""] ?? [];
  if (bytes === undefined || read === undefined)
    throw refuse(`has element type ${descr ?? "of a record"}; known are ${Object.keys(ELEMENTS).join(", ")}`);

  const shape = dimensions.split(",").flatMap((part) => (part.trim() === "" ? [] : [Number(part)]));
  if (fortran === "True" && shape.length > 1) throw refuse("is stored column by column; store it row by row");
  const count = shape.reduce((product, length) => product * length, 1);
  if (content.length - dataStart !== count * bytes)
    throw refuse(`has ${content.length - dataStart} bytes of data, its header promises ${count * bytes}`);
  return { shape, values: Float64Array.from({ length: count }, (_, i) => read(view, dataStart + i * bytes)) };
}
