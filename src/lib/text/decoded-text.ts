/** Thrown if bytes are not text in a known encoding. */
export class UndecodableText extends Error {
  /** `byte` is the first one that is invalid, on `line`; both count from 1. */
  constructor(byte: number, line: number) {
    super(`it is neither UTF-8 nor UTF-16: byte ${byte}, on line ${line}, is invalid; save it as UTF-8`);
  }
}

/**
 * Returns the text of a file that people write: UTF-8, or UTF-16 as `>` in Windows PowerShell writes it. A byte order
 * mark is left out. Throws `UndecodableText`.
 */
export function decodeText(bytes: Buffer): string {
  const encoding = encodingOf(bytes);
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    const good = firstWrong(bytes, encoding);
    const line = bytes.subarray(0, good).filter((byte) => byte === 0x0a).length + 1;
    throw new UndecodableText(good + 1, line);
  }
}

/** Without a mark, the zero bytes of ASCII characters reveal UTF-16. */
function encodingOf(bytes: Buffer): 'utf-8' | 'utf-16le' | 'utf-16be' {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  if (second === 0 && first !== 0 && first !== undefined) return 'utf-16le';
  return first === 0 && second !== 0 && second !== undefined ? 'utf-16be' : 'utf-8';
}

/** Returns the length of the longest beginning that can be decoded. */
function firstWrong(bytes: Buffer, encoding: string): number {
  let [low, high] = [0, bytes.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (isDecodable(bytes.subarray(0, middle), encoding)) low = middle;
    else high = middle - 1;
  }
  return low;
}

function isDecodable(bytes: Buffer, encoding: string): boolean {
  try {
    // A character that is cut at the end may continue.
    new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
