import { UserError } from "../util/errors.js";

/** A NumPy array as a pickle holds it. */
export class PickledArray {
  shape: readonly unknown[] = [];
  dtype = "";
  inColumns = false;
  data: Uint8Array = new Uint8Array();
}

/** A NumPy element type; its name alone matters for single bytes. */
class PickledType {
  constructor(readonly name: string) {}
}

/** The few names that plain data with NumPy arrays refer to; each is read as data, none is ever looked up or run. */
const NAMES: Readonly<Record<string, (args: readonly unknown[]) => unknown>> = {
  "numpy ndarray": refused,
  "numpy dtype": ([name]) => new PickledType(textOf(name)),
  "numpy.core.multiarray _reconstruct": () => new PickledArray(),
  "numpy._core.multiarray _reconstruct": () => new PickledArray(),
  "numpy.core.numeric _frombuffer": arrayOf,
  "numpy._core.numeric _frombuffer": arrayOf,
  "_codecs encode": ([text, encoding]) => {
    if (typeof text !== "string" || encoding !== "latin1") return refused();
    return Buffer.from(text, "latin1");
  },
};

const MARK = Symbol("mark");
/** More than the settings of any batch; values and memory stay below the size of the file. */
const MAX_INTEGER_BYTES = 8;

/**
 * Reads plain data (numbers, text, bytes, lists, dictionaries with text keys, NumPy arrays) from a Python pickle of
 * protocol 2 to 5, as `Map`s, arrays and so on. A pickle is a program that can call anything; here nothing is called.
 *
 * Throws a UserError that begins with `where` for all else.
 */
export function parsePickle(content: Uint8Array, where: string): unknown {
  try {
    return readPickle(Buffer.from(content.buffer, content.byteOffset, content.byteLength));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`${where} is no pickle of plain data (${reason})`, { cause: error });
  }
}

function readPickle(content: Buffer): unknown {
  const stack: unknown[] = [];
  const memo: unknown[] = [];
  let at = 0;
  const take = (bytes: number): Buffer => {
    if (at + bytes > content.length) throw new Error("it ends too early");
    at += bytes;
    return content.subarray(at - bytes, at);
  };
  const pop = (): unknown => {
    if (stack.length === 0) throw new Error("its values do not add up");
    return stack.pop();
  };
  const top = (): unknown => stack.at(-1);
  const uint = (bytes: 1 | 2 | 4): number => take(bytes).readUIntLE(0, bytes);
  const long = (): number => Number(take(8).readBigUInt64LE());
  const line = (): string => {
    const end = content.indexOf("\n", at);
    const text = take((end < 0 ? content.length : end) - at).toString("latin1");
    take(1);
    return text;
  };
  const sinceMark = (): unknown[] => {
    const start = stack.lastIndexOf(MARK);
    if (start < 0) throw new Error("its values do not add up");
    const values = stack.splice(start);
    return values.slice(1);
  };
  const append = (values: readonly unknown[]): void => {
    const list = top();
    if (!Array.isArray(list)) throw new Error("its lists do not add up");
    for (const value of values) list.push(value);
  };
  const setItems = (values: readonly unknown[]): void => {
    const dictionary = top();
    if (!(dictionary instanceof Map)) throw new Error("its dictionaries do not add up");
    for (let i = 0; i < values.length; i += 2) dictionary.set(textOf(values[i]), values[i + 1]);
  };
  const name = (module: string, attribute: string): unknown => {
    const full = `${module} ${attribute}`;
    if (!Object.hasOwn(NAMES, full)) throw new Error(`it names ${JSON.stringify(full).slice(0, 80)}`);
    return NAMES[full];
  };
  const last = (count: number): unknown[] => Array.from({ length: count }, pop).reverse();

  for (;;) {
    const opcode = String.fromCharCode(uint(1));
    switch (opcode) {
      case "\x80": // PROTO
        if (uint(1) > 5) throw new Error("its protocol is newer than 5");
        break;
      case "\x95": // FRAME
        take(8);
        break;
      case ".": // STOP
        return pop();
      case "(":
        stack.push(MARK);
        break;
      case "N":
        stack.push(null);
        break;
      case "\x88":
        stack.push(true);
        break;
      case "\x89":
        stack.push(false);
        break;
      case "K":
        stack.push(uint(1));
        break;
      case "M":
        stack.push(uint(2));
        break;
      case "J":
        stack.push(take(4).readInt32LE());
        break;
      case "\x8a": // LONG1
        stack.push(integerOf(take(uint(1))));
        break;
      case "U": // SHORT_BINSTRING, the text of Python 2
      case "C": // SHORT_BINBYTES
        stack.push(take(uint(1)));
        break;
      case "T":
      case "B":
        stack.push(take(uint(4)));
        break;
      case "\x8e": // BINBYTES8
      case "\x96": // BYTEARRAY8
        stack.push(take(long()));
        break;
      case "\x8c": // SHORT_BINUNICODE
        stack.push(take(uint(1)).toString("utf8"));
        break;
      case "X": // BINUNICODE
        stack.push(take(uint(4)).toString("utf8"));
        break;
      case "}":
        stack.push(new Map());
        break;
      case "]":
        stack.push([]);
        break;
      case ")":
        stack.push([]);
        break;
      case "t": // TUPLE
        stack.push(sinceMark());
        break;
      case "\x85": // TUPLE1 to TUPLE3
      case "\x86":
      case "\x87":
        stack.push(last(opcode.charCodeAt(0) - 0x84));
        break;
      case "a":
        append(last(1));
        break;
      case "e":
        append(sinceMark());
        break;
      case "s":
        setItems(last(2));
        break;
      case "u":
        setItems(sinceMark());
        break;
      case "q": // BINPUT
        memo[uint(1)] = top();
        break;
      case "r": // LONG_BINPUT
        memo[checkedPlace(uint(4), content)] = top();
        break;
      case "\x94": // MEMOIZE
        memo.push(top());
        break;
      case "h":
        stack.push(memo[uint(1)]);
        break;
      case "j":
        stack.push(memo[uint(4)]);
        break;
      case "c": // GLOBAL
        stack.push(name(line(), line()));
        break;
      case "\x93": {
        const [module, attribute] = last(2);
        stack.push(name(textOf(module), textOf(attribute)));
        break;
      }
      case "R": {
        const [named, args] = last(2);
        if (typeof named !== "function" || !Array.isArray(args)) throw new Error("it calls what is no name");
        stack.push((named as (args: readonly unknown[]) => unknown)(args));
        break;
      }
      case "b": {
        const state = pop();
        const built = top();
        if (built instanceof PickledArray) fill(built, state);
        else if (!(built instanceof PickledType)) refused();
        break;
      }
      default:
        throw new Error(`opcode 0x${opcode.charCodeAt(0).toString(16)} is not for plain data`);
    }
  }
}

/** State of an array: (version, shape, type, column by column, bytes). */
function fill(array: PickledArray, state: unknown): void {
  const [, shape, type, inColumns, data] = Array.isArray(state) ? (state as unknown[]) : [];
  if (!Array.isArray(shape) || !(type instanceof PickledType) || !(data instanceof Uint8Array)) refused();
  else Object.assign(array, { shape, dtype: type.name, inColumns: inColumns === true, data });
}

/** The array of protocol 5: (bytes, type, shape, order). */
function arrayOf([data, type, shape, order]: readonly unknown[]): PickledArray {
  const array = new PickledArray();
  fill(array, [0, shape, type, order === "F", data]);
  return array;
}

function integerOf(bytes: Buffer): number {
  if (bytes.length > MAX_INTEGER_BYTES) throw new Error("it holds a number out of all range");
  return bytes.length === 0
    ? 0
    : Number(BigInt.asIntN(8 * bytes.length, BigInt(`0x${bytesReversed(bytes)}`)));
}

function bytesReversed(bytes: Buffer): string {
  return Buffer.from(bytes).reverse().toString("hex");
}

/** Places are handed out one after the other, so none is beyond the length of the file. */
function checkedPlace(place: number, content: Buffer): number {
  if (place >= content.length) throw new Error("its values do not add up");
  return place;
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1");
  throw new Error("a name in it is no text");
}

function refused(): never {
  throw new Error("it holds objects other than plain data and arrays");
}
