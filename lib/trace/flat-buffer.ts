/** Thrown where bytes are no FlatBuffer; what reads one turns it, and the RangeError of a DataView, into a sentence. */
export class NoFlatBuffer extends Error {}

/** Bytes that are read as FlatBuffers, never outside of themselves and never much more than once. */
export class FlatBytes {
  readonly view: DataView;
  /** Tables may share their strings, so that a few bytes could stand for a great many. */
  #textBytesLeft: number;

  constructor(readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#textBytesLeft = bytes.length;
  }

  /** The table that the offset at `at` leads to. */
  table(at: number): FlatTable {
    return new FlatTable(this, at + this.view.getUint32(at, true));
  }

  /** The text that the offset at `at` leads to. */
  text(at: number): string {
    const start = at + this.view.getUint32(at, true);
    const length = this.view.getUint32(start, true);
    this.#textBytesLeft -= length;
    if (this.#textBytesLeft < 0 || start + 4 + length > this.bytes.length)
      throw new NoFlatBuffer("a text does not end");
    return new TextDecoder().decode(this.bytes.subarray(start + 4, start + 4 + length));
  }

  /** Where the items of the vector begin that the offset at `at` leads to, `itemBytes` each. */
  items(at: number, itemBytes: number): number[] {
    const start = at + this.view.getUint32(at, true);
    const count = this.view.getUint32(start, true);
    if (start + 4 + count * itemBytes > this.bytes.length) throw new NoFlatBuffer("a list does not end");
    return Array.from({ length: count }, (_, i) => start + 4 + i * itemBytes);
  }

  /** A 64-bit integer at `at`, which stands for a size or a place. */
  size(at: number): number {
    const value = Number(this.view.getBigInt64(at, true));
    if (!Number.isSafeInteger(value) || value < 0) throw new NoFlatBuffer(`a size is ${value}`);
    return value;
  }
}

/** A table: fields by number, each of which may be left out. */
export class FlatTable {
  readonly #flat: FlatBytes;
  readonly #at: number;

  constructor(flat: FlatBytes, at: number) {
    this.#flat = flat;
    this.#at = at;
  }

  /** Where the field lies, from 0; undefined where it is left out. */
  place(field: number): number | undefined {
    const { view } = this.#flat;
    const layout = this.#at - view.getInt32(this.#at, true);
    const slot = 4 + 2 * field;
    if (slot >= view.getUint16(layout, true)) return undefined;
    const offset = view.getUint16(layout + slot, true);
    return offset === 0 ? undefined : this.#at + offset;
  }

  /** What `read` finds in the field, or `otherwise` where it is left out. */
  field<Value>(field: number, read: (at: number) => Value, otherwise: Value): Value {
    const at = this.place(field);
    return at === undefined ? otherwise : read(at);
  }

  /** The table in the field, which has to be there. */
  table(field: number): FlatTable {
    const at = this.place(field);
    if (at === undefined) throw new NoFlatBuffer("a part is missing");
    return this.#flat.table(at);
  }
}
