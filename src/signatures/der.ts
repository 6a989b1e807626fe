/** One value of DER, the encoding of certificates and timestamps. https://www.itu.int/rec/T-REC-X.690 */
export interface DerValue {
  /** Class, whether it is made of other values, and number, in one byte. */
  readonly tag: number;
  readonly content: Buffer;
}

/** Thrown for bytes that are no DER, or larger than any real value. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

const OCTET_STRING = 0x04;
const CONSTRUCTED = 0x20;
const LONG_TAG = 0x1f;
const DEPTH_LIMIT = 50;

function valueAt(bytes: Buffer, at: number): { readonly value: DerValue; readonly end: number } {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined || tag === 0 || (tag & LONG_TAG) === LONG_TAG) {
    throw new DerError('a tag is malformed');
  }
  let start = at + 2;
  let length = first;
  if (first >= 0x80) {
    const count = first - 0x80;
    // In DER a length has only the bytes that it needs, and is never left open.
    if (count < 1 || count > 3 || start + count > bytes.length) throw new DerError('a length is malformed');
    length = bytes.readUIntBE(start, count);
    start += count;
    if (length < 0x80 || length < 256 ** (count - 1)) throw new DerError('a length is malformed');
  }
  const end = start + length;
  if (end > bytes.length) throw new DerError('a value is cut off');
  return { value: { tag, content: bytes.subarray(start, end) }, end };
}

/** Returns the values that follow each other in bytes. Throws `DerError`. */
export function derValues(bytes: Buffer): readonly DerValue[] {
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.length; ) {
    const { value, end } = valueAt(bytes, at);
    values.push(value);
    at = end;
  }
  return values;
}

/** Returns the content of the only value in bytes, which has that tag. Throws `DerError`. */
export function derContent(bytes: Buffer, tag: number): Buffer {
  const [value, ...others] = derValues(bytes);
  if (value?.tag !== tag || others.length > 0) throw new DerError('a value is of another kind');
  return value.content;
}

/**
 * Throws `DerError` if bytes hold more than `most` values, nested ones included, or are no DER. The library that reads
 * them makes an object of each value, and searches each string of bytes for more values: a megabyte of the smallest takes
 * seconds.
 */
export function requireSmallDer(bytes: Buffer, most: number): void {
  let left = most;
  function count(content: Buffer, depth: number): void {
    if (depth > DEPTH_LIMIT) throw new DerError('it is nested too deeply');
    for (let at = 0; at < content.length; ) {
      left -= 1;
      if (left < 0) throw new DerError(`it has more than ${most} values`);
      const { value, end } = valueAt(content, at);
      if ((value.tag & CONSTRUCTED) !== 0) count(value.content, depth + 1);
      else if (value.tag === OCTET_STRING) countInside(value.content, depth + 1);
      at = end;
    }
  }
  function countInside(content: Buffer, depth: number): void {
    try {
      count(content, depth);
    } catch (error) {
      // These are mere bytes, unless there were too many values before the error.
      if (left < 0) throw error;
    }
  }
  count(bytes, 0);
}
