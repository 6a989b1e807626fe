import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Duplex, pipeline, type Readable } from 'node:stream';
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib';
import { zstdFrames } from '../zstd-frames.ts';

/** https://www.iana.org/assignments/http-parameters, "HTTP Content Coding Registry". */
const DECODERS: ReadonlyMap<string, () => Duplex> = new Map<string, () => Duplex>([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', () => Duplex.from(inflated)],
  ['br', createBrotliDecompress],
  ['zstd', () => Duplex.from(unpacked)],
]);
/** The statuses of answers without content, and of one with a part of it. */
const NOTHING_TO_UNDO: ReadonlySet<number | undefined> = new Set([204, 206, 304]);

/** Returns the codings of an answer's content, the first one first; empty if nothing is encoded. */
export function codingsOf(headers: IncomingHttpHeaders): string[] {
  const named = (headers['content-encoding'] ?? '').split(',').map((name) => name.trim().toLowerCase());
  return named.filter((name) => name !== '' && name !== 'identity');
}

/**
 * Returns the headers and body of an answer with its content decoded. A part of the content stays encoded, because its
 * coding is that of the whole. So does content with an unknown coding. The decoded length is not known: the reader must
 * limit it.
 */
export function decoded(answer: IncomingMessage): {
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
} {
  const { headers } = answer;
  const makers = codingsOf(headers).map((coding) => DECODERS.get(coding));
  const known = makers.filter((maker) => maker !== undefined);
  const isEmpty = headers['content-length'] === '0' || NOTHING_TO_UNDO.has(answer.statusCode);
  if (known.length === 0 || known.length < makers.length || isEmpty) return { headers, body: answer };
  const { 'content-encoding': _coding, 'content-length': _length, ...rest } = headers;
  const body = known.reduceRight<Readable>((coded, make) => {
    // The reader of the body gets all errors, also those of the connection.
    return pipeline(coded, make(), () => undefined);
  }, answer);
  return { headers: rest, body: body.on('error', () => undefined) };
}

/** Decodes `zstd`. Node by itself would decode the first frame only. */
async function* unpacked(coded: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield* pipeline(zstdFrames(coded), createZstdDecompress(), () => undefined);
}

/** Decodes `deflate`. Some servers leave out the header of zlib; the low half of its first byte is always 8 (RFC 1950). */
async function* inflated(coded: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const parts = coded[Symbol.asyncIterator]();
  const first = await parts.next();
  if (first.done === true) return;
  const all = async function* (): AsyncGenerator<Buffer> {
    yield first.value;
    yield* { [Symbol.asyncIterator]: () => parts };
  };
  const hasHeader = ((first.value[0] ?? 0) & 0x0f) === 8;
  yield* pipeline(all, hasHeader ? createInflate() : createInflateRaw(), () => undefined);
}
