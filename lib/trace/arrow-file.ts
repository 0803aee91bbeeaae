import { UserError } from "../util/errors.js";
import { FlatBytes, type FlatTable, NoFlatBuffer } from "./flat-buffer.js";

/** The columns of plain numbers that an Arrow file holds. */
export interface ArrowColumns {
  readonly metadata: ReadonlyMap<string, string>;
  readonly rows: number;
  readonly columns: ReadonlyMap<string, Numbers>;
}

type Numbers = Int32Array | Float32Array | Float64Array;
type NumbersType = Int32ArrayConstructor | Float32ArrayConstructor | Float64ArrayConstructor;

const MAGIC = "ARROW1";
/** Footer length and magic. */
const END_BYTES = 4 + MAGIC.length;
/** Fields of the format's tables, and members of its unions, by their numbers in Arrow's Schema.fbs, Message.fbs and File.fbs. */
const FOOTER = { schema: 1, dictionaries: 2, batches: 3 };
const SCHEMA = { endianness: 0, fields: 1, metadata: 2 };
const KEY_VALUE = { key: 0, value: 1 };
const FIELD = { name: 0, typeKind: 2, type: 3, dictionary: 4 };
const TYPE = { int: 2, float: 3 };
const INT = { bits: 0, isSigned: 1 };
const FLOAT = { precision: 0 };
const MESSAGE = { headerKind: 1, header: 2 };
const RECORD_BATCH = 3;
const BATCH = { rows: 0, nodes: 1, buffers: 2, compression: 3 };
const BLOCK_BYTES = 24;
const NODE_BYTES = 16;
const BUFFER_BYTES = 16;
const CONTINUATION = 0xffffffff;

/**
 * Reads an Arrow IPC file (Feather version 2) whose columns are all int32, float32 or float64 without gaps. The work
 * and the memory are bounded by a small multiple of its size, whatever its bytes are: a UserError names `where` if it
 * is damaged, compressed or holds anything else.
 *
 * A reader of all of Arrow follows what a damaged file says about sizes; this one makes room for nothing that is not
 * there. Format: https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format
 */
export function readArrowFile(bytes: Uint8Array, where: string): ArrowColumns {
  const fault = envelopeFault(bytes);
  if (fault !== undefined) throw new UserError(`${where} ${fault}`);
  try {
    return readColumns(bytes);
  } catch (error) {
    if (!(error instanceof NoFlatBuffer || error instanceof RangeError)) throw error;
    throw new UserError(
      `${where} is an Arrow file that is damaged or no trace (${error.message}); write it again`,
      {
        cause: error,
      },
    );
  }
}

function envelopeFault(bytes: Uint8Array): string | undefined {
  const latin1 = (from: number): string => String.fromCharCode(...bytes.subarray(from, from + MAGIC.length));
  if (latin1(0) !== MAGIC) return "is not an Arrow file, so not a trace";
  if (bytes.length < 4 * MAGIC.length || latin1(bytes.length - MAGIC.length) !== MAGIC)
    return "is a truncated Arrow file: its end is missing; write or copy it again";
  return undefined;
}

function readColumns(bytes: Uint8Array): ArrowColumns {
  const file = new FlatBytes(bytes);
  const footer = footerOf(file);
  if (footer.field(FOOTER.dictionaries, (at) => file.items(at, BLOCK_BYTES).length, 0) > 0)
    throw new NoFlatBuffer("it holds dictionaries, not plain numbers");
  const schema = footer.table(FOOTER.schema);
  if (schema.field(SCHEMA.endianness, (at) => file.view.getInt16(at, true), 0) !== 0)
    throw new NoFlatBuffer("it is big-endian");
  const fields = schema
    .field(SCHEMA.fields, (at) => file.items(at, 4), [])
    .map((at) => columnField(file, file.table(at)));
  const blocks = footer.field(FOOTER.batches, (at) => file.items(at, BLOCK_BYTES), []);
  // Blocks may share what they point to as well.
  if (blocks.length * fields.length * (NODE_BYTES + 2 * BUFFER_BYTES) > bytes.length)
    throw new NoFlatBuffer("it promises more parts than it holds");
  const batches = blocks.map((at) => batchAt(file, at, fields));
  const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
  // Before room is made for it: batches may share their bytes.
  const rowBytes = fields.reduce((sum, { type }) => sum + type.BYTES_PER_ELEMENT, 0);
  if (rows * rowBytes > bytes.length) throw new NoFlatBuffer("it promises more rows than it holds");
  const columns = fields.map(({ name, type }, i) => [name, joined(bytes, type, rows, batches, i)] as const);
  if (new Set(fields.map(({ name }) => name)).size < fields.length)
    throw new NoFlatBuffer("two columns have one name");
  return { metadata: metadataOf(file, schema), rows, columns: new Map(columns) };
}

function footerOf(file: FlatBytes): FlatTable {
  const end = file.bytes.length - END_BYTES;
  const length = file.view.getInt32(end, true);
  if (length <= 0 || length > end) throw new NoFlatBuffer("its footer is not there");
  return file.table(end - length);
}

function metadataOf(file: FlatBytes, schema: FlatTable): ReadonlyMap<string, string> {
  const text = (at: number): string => file.text(at);
  return new Map(
    schema
      .field(SCHEMA.metadata, (at) => file.items(at, 4), [])
      .map((at) => file.table(at))
      .map((pair) => [pair.field(KEY_VALUE.key, text, ""), pair.field(KEY_VALUE.value, text, "")]),
  );
}

interface ColumnField {
  readonly name: string;
  readonly type: NumbersType;
}

function columnField(file: FlatBytes, field: FlatTable): ColumnField {
  const name = field.field(FIELD.name, (at) => file.text(at), "");
  const kind = field.field(FIELD.typeKind, (at) => file.view.getUint8(at), 0);
  const type = kind === TYPE.int || kind === TYPE.float ? numbersType(file, kind, field) : undefined;
  if (type === undefined || field.place(FIELD.dictionary) !== undefined)
    throw new NoFlatBuffer(`column ${JSON.stringify(name.slice(0, 40))} does not hold plain numbers`);
  return { name, type };
}

function numbersType(file: FlatBytes, kind: number, field: FlatTable): NumbersType | undefined {
  const { view } = file;
  const type = field.table(FIELD.type);
  if (kind === TYPE.float)
    return [undefined, Float32Array, Float64Array][
      type.field(FLOAT.precision, (at) => view.getInt16(at, true), 0)
    ];
  const bits = type.field(INT.bits, (at) => view.getInt32(at, true), 0);
  return bits === 32 && type.field(INT.isSigned, (at) => view.getUint8(at), 0) !== 0 ? Int32Array : undefined;
}

interface RecordBatch {
  readonly rows: number;
  /** Where the values of each column begin. */
  readonly starts: readonly number[];
}

function batchAt(file: FlatBytes, block: number, fields: readonly ColumnField[]): RecordBatch {
  const { view } = file;
  const start = file.size(block);
  const body = start + view.getInt32(block + 8, true);
  const bodyBytes = file.size(block + 16);
  if (view.getUint32(start, true) !== CONTINUATION || body + bodyBytes > file.bytes.length)
    throw new NoFlatBuffer("its rows are not where they should be");
  const message = file.table(start + 8);
  if (message.field(MESSAGE.headerKind, (at) => view.getUint8(at), 0) !== RECORD_BATCH)
    throw new NoFlatBuffer("its rows are none");
  const batch = message.table(MESSAGE.header);
  if (batch.place(BATCH.compression) !== undefined)
    throw new NoFlatBuffer("it is compressed: write it uncompressed");
  const rows = batch.field(BATCH.rows, (at) => file.size(at), 0);
  const nodes = batch.field(BATCH.nodes, (at) => file.items(at, NODE_BYTES), []);
  const buffers = batch.field(BATCH.buffers, (at) => file.items(at, BUFFER_BYTES), []);
  if (nodes.length !== fields.length || buffers.length !== 2 * fields.length)
    throw new NoFlatBuffer("its rows do not fit its columns");
  if (nodes.some((node) => file.size(node) !== rows || file.size(node + 8) !== 0))
    throw new NoFlatBuffer("its columns have gaps or differ in length");
  const starts = fields.map(({ type }, i) => {
    // Two buffers a column: which rows are there, and the values.
    const buffer = buffers[2 * i + 1] as number;
    const offset = file.size(buffer);
    const needed = rows * type.BYTES_PER_ELEMENT;
    if (file.size(buffer + 8) < needed || offset + needed > bodyBytes)
      throw new NoFlatBuffer("a column ends too early");
    return body + offset;
  });
  return { rows, starts };
}

/** Column `i` of all batches, one after the other. */
function joined(
  bytes: Uint8Array,
  type: NumbersType,
  rows: number,
  batches: readonly RecordBatch[],
  i: number,
): Numbers {
  const column = new Uint8Array(rows * type.BYTES_PER_ELEMENT);
  let at = 0;
  for (const batch of batches) {
    const start = batch.starts[i] as number;
    const length = batch.rows * type.BYTES_PER_ELEMENT;
    column.set(bytes.subarray(start, start + length), at);
    at += length;
  }
  return new type(column.buffer);
}
