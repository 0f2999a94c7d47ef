/**
 * Numbers as bytes. Those of one column are mostly alike: they are written as whole numbers of the smallest width that holds their distance
 * from the least of them, scaled by a power of ten where all have few decimals; then from one to the next; else as they are.
 * Layout: form (1 byte) · width (1) · scale (8, a float) · least (8, a float) · values. A distance of all ones stands for none.
 */
const HEADER_BYTES = 18;
const FORM_FLOAT = 0;
const FORM_DISTANCE = 1;
const FORM_STEP = 2;
const SCALES = [1, 10, 100, 1_000, 10_000] as const;
const LARGEST_WHOLE = 2 ** 53;

type Whole = Uint8Array | Uint16Array | Uint32Array | Int8Array | Int16Array | Int32Array;

/** The bytes of a column's numbers; NaN stands for none. */
export function encodeNumbers(values: Float64Array): Buffer {
  const scale = scaleOf(values);
  if (scale === undefined) return pack(FORM_FLOAT, 1, 0, values);
  const { least, most, holes } = boundsOf(values, scale);
  const room = most - least + 1;
  const distance = room < 0xff ? Uint8Array : room < 0xffff ? Uint16Array : undefined;
  if (distance) return pack(FORM_DISTANCE, scale, least, distances(values, scale, least, new distance(values.length)));
  const steps = holes ? undefined : stepsOf(values, scale);
  if (steps) return pack(FORM_STEP, scale, Math.round((values[0] ?? 0) * scale), steps);
  if (room < 0xffff_ffff) return pack(FORM_DISTANCE, scale, least, distances(values, scale, least, new Uint32Array(values.length)));
  return pack(FORM_FLOAT, 1, 0, values);
}

/** What `encodeNumbers` was given. Throws a RangeError when the bytes do not fit `rows`. */
export function decodeNumbers(bytes: Buffer, rows: number): Float64Array {
  const form = bytes.readUInt8(0);
  const width = bytes.readUInt8(1);
  const scale = bytes.readDoubleLE(2);
  const least = bytes.readDoubleLE(10);
  if (bytes.length !== HEADER_BYTES + rows * width) throw new RangeError(`a column of ${rows} numbers has ${bytes.length} bytes`);
  // A typed array needs its place aligned.
  const body = bytes.buffer.slice(bytes.byteOffset + HEADER_BYTES, bytes.byteOffset + bytes.length);
  if (form === FORM_FLOAT) return new Float64Array(body);
  return form === FORM_STEP ? fromSteps(signed(body, width), scale, least) : fromDistances(unsigned(body, width), scale, least, 2 ** (8 * width) - 1);
}

function pack(form: number, scale: number, least: number, values: Whole | Float64Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + values.byteLength);
  bytes.writeUInt8(form, 0);
  bytes.writeUInt8(values.BYTES_PER_ELEMENT, 1);
  bytes.writeDoubleLE(scale, 2);
  bytes.writeDoubleLE(least, 10);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), HEADER_BYTES);
  return bytes;
}

/** The smallest scale that makes whole numbers of all of them, and from which each comes back exactly. */
function scaleOf(values: Float64Array): number | undefined {
  return SCALES.find((scale) => values.every((value) => Number.isNaN(value) || isWholeAt(value, scale)));
}

function isWholeAt(value: number, scale: number): boolean {
  const whole = Math.round(value * scale);
  return whole / scale === value && Math.abs(whole) < LARGEST_WHOLE && !Object.is(value, -0);
}

function boundsOf(values: Float64Array, scale: number): { least: number; most: number; holes: boolean } {
  let [least, most, holes] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, false];
  for (const value of values) {
    if (Number.isNaN(value)) holes = true;
    else {
      const whole = Math.round(value * scale);
      if (whole < least) least = whole;
      if (whole > most) most = whole;
    }
  }
  return least > most ? { least: 0, most: 0, holes } : { least, most, holes };
}

function distances<To extends Whole>(values: Float64Array, scale: number, least: number, to: To): To {
  const none = 2 ** (8 * to.BYTES_PER_ELEMENT) - 1;
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at] as number;
    to[at] = Number.isNaN(value) ? none : Math.round(value * scale) - least;
  }
  return to;
}

function stepsOf(values: Float64Array, scale: number): Whole | undefined {
  let before = Math.round((values[0] ?? 0) * scale);
  let largest = 0;
  const steps = new Float64Array(values.length);
  for (let at = 0; at < values.length; at += 1) {
    const whole = Math.round((values[at] as number) * scale);
    steps[at] = whole - before;
    largest = Math.max(largest, Math.abs(whole - before));
    before = whole;
  }
  if (largest <= 0x7f) return Int8Array.from(steps);
  if (largest <= 0x7fff) return Int16Array.from(steps);
  return largest <= 0x7fff_ffff ? Int32Array.from(steps) : undefined;
}

function fromSteps(steps: Whole, scale: number, first: number): Float64Array {
  const values = new Float64Array(steps.length);
  let whole = first;
  for (let at = 0; at < steps.length; at += 1) {
    whole += steps[at] as number;
    values[at] = whole / scale;
  }
  return values;
}

function fromDistances(distancesRead: Whole, scale: number, least: number, none: number): Float64Array {
  const values = new Float64Array(distancesRead.length);
  for (let at = 0; at < distancesRead.length; at += 1) {
    const distance = distancesRead[at] as number;
    values[at] = distance === none ? Number.NaN : (least + distance) / scale;
  }
  return values;
}

function unsigned(body: ArrayBufferLike, width: number): Whole {
  return width === 1 ? new Uint8Array(body) : width === 2 ? new Uint16Array(body) : new Uint32Array(body);
}

function signed(body: ArrayBufferLike, width: number): Whole {
  return width === 1 ? new Int8Array(body) : width === 2 ? new Int16Array(body) : new Int32Array(body);
}
