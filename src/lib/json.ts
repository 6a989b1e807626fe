const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/**
 * Returns whether lists and objects in a JSON text are nested more than `limit` levels deep. Recursive functions, such
 * as `JSON.stringify`, run out of stack after some thousands of levels.
 */
export function isNestedDeeper(json: Uint8Array, limit: number): boolean {
  let depth = 0;
  let isInText = false;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at] ?? 0;
    if (isInText) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) isInText = false;
    } else if (byte === QUOTE) isInText = true;
    else if (OPENING.has(byte)) {
      depth += 1;
      if (depth > limit) return true;
    } else if (CLOSING.has(byte)) depth -= 1;
  }
  return false;
}

/** Returns the value of a JSON text, which may begin with a byte order mark. Throws what `JSON.parse` throws. */
export function readJson(json: Buffer | string): unknown {
  const text = json.toString();
  return JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text);
}

/** Returns the value of a JSON text; undefined if it is not JSON. */
export function parseJson(json: Buffer | string): unknown {
  try {
    return readJson(json);
  } catch {
    return undefined;
  }
}
