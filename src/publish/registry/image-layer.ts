import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { BlobSource } from '../../registry/blob/blob-source.ts';
import { type Digest, parseDigest } from '../../registry/oci/digest.ts';
import type { ByteRange } from '../../registry/registry.ts';
import { fileChanged } from '../contract/package-file.ts';
import type { PackageFile } from '../contract/target.ts';
import { type TarFrame, tarFrame } from './tar-frame.ts';

/** A layer with a package in it, and where its bytes come from. */
export interface PackageLayer {
  readonly digest: Digest;
  readonly size: number;
  readonly source: BlobSource;
}

/** Returns a layer that is the package itself, for an OCI artifact. */
export function plainLayer(file: PackageFile): PackageLayer {
  const { size, sha256, name } = file;
  const open: BlobSource['open'] = async (_descriptor, signal, range = { start: 0, end: size }) =>
    readFile(file, range, signal);
  return { digest: sha256, size, source: { about: name, open } };
}

/**
 * Returns a layer that is a tar archive with the package at its root, for an image. Reads the package once to compute
 * the digest, and writes nothing to disk. Throws `FILE_CHANGED` or the signal's reason.
 */
export async function tarLayer(file: PackageFile, signal: AbortSignal): Promise<PackageLayer> {
  const frame = await tarFrame(file);
  const whole = createHash('sha256').update(frame.before);
  const content = createHash('sha256');
  for await (const chunk of readFile(file, { start: 0, end: file.size })) {
    signal.throwIfAborted();
    whole.update(chunk);
    content.update(chunk);
  }
  if (`sha256:${content.digest('hex')}` !== file.sha256) throw fileChanged(file.name);
  const digest = parseDigest(`sha256:${whole.update(frame.after).digest('hex')}`, file.name);
  const size = frame.before.length + file.size + frame.after.length;
  const open: BlobSource['open'] = async (_descriptor, stop, range = { start: 0, end: size }) =>
    Readable.from(readFramed({ file, frame }, range, stop));
  return { digest, size, source: { about: file.name, open } };
}

async function* readFramed(
  { file, frame }: { readonly file: PackageFile; readonly frame: TarFrame },
  { start, end }: ByteRange,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const { before, after } = frame;
  const contentEnd = before.length + file.size;
  if (start < before.length) yield before.subarray(start, Math.min(end, before.length));
  const from = Math.max(start, before.length) - before.length;
  const to = Math.min(end, contentEnd) - before.length;
  if (from < to) yield* readFile(file, { start: from, end: to }, signal);
  if (end > contentEnd) yield after.subarray(Math.max(start, contentEnd) - contentEnd, end - contentEnd);
}

/** An abort of the signal ends the stream with an AbortError, not with the signal's reason. */
function readFile({ path }: PackageFile, { start, end }: ByteRange, signal?: AbortSignal): Readable {
  if (end <= start) return Readable.from([]);
  return createReadStream(path, { start, end: end - 1, signal, highWaterMark: 256 * 1024 });
}
