import { tfRecord } from "./tfrecord.js";

/** A number that was measured after a step. */
export interface ScalarEvent {
  readonly tag: string;
  readonly step: number;
  readonly value: number;
}

/**
 * TensorBoard's event file of scalars (TensorFlow's event.proto and summary.proto in TFRecords): all measured at
 * `seconds` after 1970, for runs do not say when each was.
 */
export function eventFile(events: readonly ScalarEvent[], seconds: number): Uint8Array {
  const version = message([double(1, seconds), text(3, "brain.Event:2")]);
  return Buffer.concat([version, ...events.map((event) => scalarMessage(event, seconds))].map(tfRecord));
}

/** Event { wall_time = 1, step = 2, summary = 5 }, Summary { value = 1 }, Value { tag = 1, simple_value = 2 }. */
function scalarMessage({ tag, step, value }: ScalarEvent, seconds: number): Uint8Array {
  const summary = message([bytes(1, message([text(1, tag), float(2, value)]))]);
  return message([double(1, seconds), integer(2, step), bytes(5, summary)]);
}

const message = (fields: readonly Uint8Array[]): Uint8Array => Buffer.concat(fields);

/** Whole numbers go in groups of seven bits, the lowest first; the eighth says that more follow. */
function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

const KIND = { varint: 0, eightBytes: 1, counted: 2, fourBytes: 5 } as const;
const key = (field: number, kind: keyof typeof KIND): number[] => varint(field * 8 + KIND[kind]);

const integer = (field: number, value: number): Uint8Array =>
  Uint8Array.from([...key(field, "varint"), ...varint(value)]);
const bytes = (field: number, value: Uint8Array): Uint8Array =>
  Buffer.concat([Uint8Array.from([...key(field, "counted"), ...varint(value.length)]), value]);
const text = (field: number, value: string): Uint8Array => bytes(field, Buffer.from(value, "utf8"));

function double(field: number, value: number): Uint8Array {
  const number = Buffer.alloc(8);
  number.writeDoubleLE(value);
  return Buffer.concat([Uint8Array.from(key(field, "eightBytes")), number]);
}

function float(field: number, value: number): Uint8Array {
  const number = Buffer.alloc(4);
  number.writeFloatLE(value);
  return Buffer.concat([Uint8Array.from(key(field, "fourBytes")), number]);
}
