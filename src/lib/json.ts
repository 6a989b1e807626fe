const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const LIST_OPENING = 0x5b;
const BACKSLASH = 0x5c;
const LIST_CLOSING = 0x5d;
const OBJECT_OPENING = 0x7b;
const OBJECT_CLOSING = 0x7d;

/** Real JSON is some five levels deep. Recursive functions, such as `JSON.stringify`, run out of stack after thousands. */
const DEPTH_LIMIT = 100;

// The least that V8 allocates, in bytes: for a list or an object, for a member of an object, and for an item.
const CONTAINER_WEIGHT = 64;
const MEMBER_WEIGHT = 48;
const ITEM_WEIGHT = 16;
/** Real answers weigh about twice their length; lists of empty objects such as `[{},{},{}]` weigh 27 times theirs. */
const WEIGHT_OF_BYTE = 4;
/** The weight that any text may have in addition, however short it is. */
const WEIGHT_OF_ANY = 256 * 1024;
/** `JSON.parse` creates any value of this weight within a tenth of a second. */
const WEIGHT_LIMIT = 16 * 1024 * 1024;

/** A JSON text was not read to its end: it would cost too much for its length, or programs could read it in two ways. */
export class UnreasonableJson extends SyntaxError {
  override readonly name = 'UnreasonableJson';
}

/** Returns how much a JSON text of a length in bytes may weigh: never more than `most`. */
export function weightLimit(length: number, most = WEIGHT_LIMIT): number {
  return Math.min(length * WEIGHT_OF_BYTE + WEIGHT_OF_ANY, most);
}

/**
 * Returns the end of the item that begins at `from` in a JSON text: the comma after it, the bracket that closes the list
 * or object around it, or the end of the text. Looks at brackets and quotes only: the item can be malformed. Throws
 * `UnreasonableJson` if it is nested too deeply, or weighs more than `weight`.
 */
export function itemEnd(json: Uint8Array, from: number, weight: number): number {
  let depth = 0;
  let left = weight;
  let at = from;
  for (; at < json.length; at += 1) {
    const byte = json[at] ?? 0;
    if (byte === QUOTE) {
      at = textEnd(json, at);
    } else if (byte === COMMA) {
      if (depth === 0) return at;
      left -= ITEM_WEIGHT;
    } else if (byte === COLON) {
      left -= MEMBER_WEIGHT;
    } else if (byte === OBJECT_OPENING || byte === LIST_OPENING) {
      depth += 1;
      left -= CONTAINER_WEIGHT;
      if (depth > DEPTH_LIMIT) {
        throw new UnreasonableJson(`it nests lists and objects more than ${DEPTH_LIMIT} deep`);
      }
    } else if (byte === OBJECT_CLOSING || byte === LIST_CLOSING) {
      if (depth === 0) return at;
      depth -= 1;
    }
    if (left < 0) throw new UnreasonableJson('it has far too many values for its length');
  }
  return at;
}

/** Returns the position of the quote that ends a string, or the end of the whole text if there is none. */
export function textEnd(json: Uint8Array, openingQuote: number): number {
  let at = openingQuote + 1;
  for (; at < json.length; at += 1) {
    const byte = json[at] ?? 0;
    if (byte === BACKSLASH) at += 1;
    else if (byte === QUOTE) break;
  }
  return at;
}

/**
 * Returns the value of a JSON text from outside, which may begin with a byte order mark. First throws `UnreasonableJson`
 * for a text that is nested too deeply, has too many values for its length, or weighs more than `most`. Then throws what
 * `JSON.parse` throws.
 */
export function readJson(json: Buffer | string, most = WEIGHT_LIMIT): unknown {
  const bytes = Buffer.isBuffer(json) ? json : Buffer.from(json);
  // Any text after the first value is malformed, and no parser continues there.
  itemEnd(bytes, 0, weightLimit(bytes.length, most));
  const text = json.toString();
  return JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text);
}

/** Returns the value of a JSON text from outside; undefined if it is not JSON, or unreasonable. */
export function parseJson(json: Buffer | string): unknown {
  try {
    return readJson(json);
  } catch {
    return undefined;
  }
}
