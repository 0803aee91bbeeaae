import { randomStream } from "../../lib/util/random.js";

/** Numbers drawn for one input, so that it can be made again from seed and number alone. */
export interface Draws {
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number;
  pick<Item>(items: readonly Item[]): Item;
}

export function drawsOf(seed: number, reader: string, input: number): Draws {
  const random = randomStream(seed, `${reader}/${input}`);
  const below = (limit: number): number => Math.min(limit - 1, Math.floor(random.uniform() * limit));
  return { below, pick: (items) => items[below(items.length)] as (typeof items)[number] };
}

/** Sizes and counts at which readers break. */
const INTEGERS = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

/** Bytes with one to four changes: bits, bytes, integers of four bytes, cuts, repeats, moves, insertions. */
export function mutatedBytes(bytes: Uint8Array, draws: Draws): Uint8Array {
  let result: Uint8Array = Uint8Array.from(bytes);
  for (let change = 0; change <= draws.below(4); change++) result = changedBytes(result, draws);
  return result;
}

function changedBytes(bytes: Uint8Array, draws: Draws): Uint8Array {
  if (bytes.length < 8) return Uint8Array.from({ length: draws.below(64) }, () => draws.below(256));
  const at = draws.below(bytes.length);
  const length = 1 + draws.below(Math.min(64, bytes.length - at));
  const part = bytes.subarray(at, at + length);
  const to = draws.below(bytes.length);
  switch (draws.below(8)) {
    case 0:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << draws.below(8));
      return bytes;
    case 1:
      bytes[at] = draws.below(256);
      return bytes;
    case 2:
      new DataView(bytes.buffer, bytes.byteOffset).setUint32(
        Math.min(at, bytes.length - 4),
        draws.pick(INTEGERS),
        draws.below(2) === 0,
      );
      return bytes;
    case 3:
      return bytes.slice(0, at);
    case 4:
      return joined(bytes.subarray(0, at), bytes.subarray(at + length));
    case 5:
      return joined(bytes.subarray(0, to), part, bytes.subarray(to));
    case 6:
      bytes.copyWithin(to, at, at + length);
      return bytes;
    default:
      return joined(
        bytes.subarray(0, to),
        Uint8Array.from({ length }, () => draws.below(256)),
        bytes.subarray(to),
      );
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

/** Names that every object answers to, and keys that are there in some other form. */
const NAMES = [
  "constructor",
  "__proto__",
  "toString",
  "hasOwnProperty",
  "",
  "kind",
  "\u001b[2J",
  "a".repeat(500),
];
const VALUES: readonly (() => unknown)[] = [
  () => null,
  () => true,
  () => -1,
  () => 0,
  () => 0.5,
  () => 2 ** 31,
  () => 1e15,
  () => 1e308,
  () => "NaN",
  () => "constructor",
  () => "x".repeat(5_000),
  () => [],
  () => ({}),
  () => nested(90),
  () => nested(5_000),
  () => Array.from({ length: 5_000 }, (_, i) => i),
  () => Object.fromEntries(NAMES.map((name, i) => [name, i])),
];

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
}

/** JSON text with one to three changes of its fields, or, one time in four, of its characters. */
function mutatedJson(text: string, draws: Draws): string {
  if (draws.below(4) === 0) return Buffer.from(mutatedBytes(Buffer.from(text), draws)).toString();
  const root = { value: JSON.parse(text) as unknown };
  for (let change = 0; change <= draws.below(3); change++) changeField(root, draws);
  return textOf(root.value);
}

/** The same of bytes. */
export function json(sample: Uint8Array, draws: Draws): Uint8Array {
  return Buffer.from(mutatedJson(Buffer.from(sample).toString(), draws));
}

/** JSON.stringify runs out of stack where a value is nested too deep; here it is written by hand. */
function textOf(value: unknown): string {
  const levels: string[] = [];
  let inner = value;
  while (typeof inner === "object" && inner !== null && Object.keys(inner).length === 1) {
    const [key, below] = Object.entries(inner)[0] as [string, unknown];
    levels.push(Array.isArray(inner) ? "[" : `{${JSON.stringify(key)}:`);
    inner = below;
  }
  const close = levels.map((open) => (open === "[" ? "]" : "}")).reverse();
  return levels.join("") + flatText(inner) + close.join("");
}

function flatText(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const items = Object.entries(value).map(([key, item]) =>
    Array.isArray(value) ? textOf(item) : `${JSON.stringify(key)}:${textOf(item)}`,
  );
  return Array.isArray(value) ? `[${items.join(",")}]` : `{${items.join(",")}}`;
}

function changeField(root: { value: unknown }, draws: Draws): void {
  const places: { holder: Record<string, unknown>; key: string }[] = [];
  const queue: Record<string, unknown>[] = [root];
  while (queue.length > 0 && places.length < 2_000) {
    const holder = queue.pop() as Record<string, unknown>;
    for (const [key, item] of Object.entries(holder).slice(0, 500)) {
      places.push({ holder, key });
      if (typeof item === "object" && item !== null) queue.push(item as Record<string, unknown>);
    }
  }
  const { holder, key } = draws.pick(places);
  const value = holder[key];
  switch (draws.below(5)) {
    case 0:
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else if (holder !== (root as object)) Reflect.deleteProperty(holder, key);
      return;
    case 1:
      if (typeof value === "number") holder[key] = value + draws.pick([-1, 1, 0.25, 1e-9, 1e9]);
      else if (typeof value === "string") holder[key] = value.slice(0, draws.below(value.length + 1));
      else holder[key] = draws.pick(VALUES)();
      return;
    case 2:
      if (holder !== (root as object) && !Array.isArray(holder))
        Object.defineProperty(holder, draws.pick(NAMES), {
          value: draws.pick(VALUES)(),
          enumerable: true,
          configurable: true,
          writable: true,
        });
      return;
    default:
      holder[key] = draws.pick(VALUES)();
  }
}
