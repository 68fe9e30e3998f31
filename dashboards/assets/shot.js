// The shot that runs on a press: its phases and samples, as the live channel brings them.

const HEAD_BYTES = 12;
const ROOM = 8192;

export class Shot {
  number = 0;
  began = null;
  names = [];
  /** Phases with the seconds at which they began. */
  phases = [];
  count = 0;
  /** Seconds, then a column for each name; only the first `count` of each hold something. */
  columns = [];
  /** The shot before this one, for a grey line; null before there was a whole one. */
  before = null;

  /** Take the message that tells phases; whether another shot began with it. */
  tell({ number, began, names, phases }) {
    const another = number !== this.number;
    if (another) {
      if (this.count > 1) this.before = { names: this.names, columns: this.#kept() };
      this.columns = [...Array(names.length + 1)].map(() => new Float64Array(ROOM));
      this.count = 0;
    }
    Object.assign(this, { number, began, names, phases });
    return another;
  }

  /** Take the bytes of samples; those of another shot, or that leave a hole, are dropped. */
  add(buffer) {
    const view = new DataView(buffer);
    const width = view.getUint8(1);
    const number = view.getUint32(4, true);
    const first = view.getUint32(8, true);
    if (number !== this.number || first > this.count || width !== this.columns.length) return false;
    const rows = (buffer.byteLength - HEAD_BYTES) / 4 / width;
    for (let row = 0; row < rows && first + row < ROOM; row += 1) {
      for (let column = 0; column < width; column += 1) {
        const at = HEAD_BYTES + 4 * (row * width + column);
        this.columns[column][first + row] = view.getFloat32(at, true);
      }
    }
    this.count = Math.min(ROOM, first + rows);
    return true;
  }

  /** The samples of one signal; empty where the press gives none. */
  of(name) {
    const column = this.columns[this.names.indexOf(name) + 1];
    return this.names.includes(name) ? column.subarray(0, this.count) : new Float64Array();
  }

  get times() {
    return this.columns.length ? this.columns[0].subarray(0, this.count) : new Float64Array();
  }

  #kept() {
    return this.columns.map((column) => column.slice(0, this.count));
  }
}
