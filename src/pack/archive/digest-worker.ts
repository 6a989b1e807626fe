/** A task for the thread, which answers each once and in order. */
export type DigestTask =
  /** Hash these bytes of the tar. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** Return the sums of all bytes. */
  | { readonly kind: 'end-bytes' }
  /** Hash what was added to the file, up to this size. */
  | { readonly kind: 'grown'; readonly path: string; readonly size: number }
  /** The same, and return the sums of the file. */
  | { readonly kind: 'end-file'; readonly path: string; readonly size: number };

export interface BytesDigest {
  readonly kind: 'bytes';
  readonly sha256: string;
  readonly crc32: number;
}

export interface FileDigest {
  readonly kind: 'file';
  readonly sha256: string;
  /** The SHA-1 of each 4 MiB, from which a qetag is made. */
  readonly qetagBlocks: readonly Uint8Array[];
}

export type DigestAnswer = { readonly kind: 'taken' } | BytesDigest | FileDigest;

/**
 * The whole program of the hashing thread. It is started from its own source text, because each tool is bundled into
 * one file and could not load a second one. So it must not use anything outside of this function.
 */
export function digestWorker(): void {
  const { createHash } = process.getBuiltinModule('node:crypto');
  const { closeSync, openSync, readSync } = process.getBuiltinModule('node:fs');
  const { parentPort } = process.getBuiltinModule('node:worker_threads');
  const { crc32 } = process.getBuiltinModule('node:zlib');
  const readSize = 1024 * 1024;
  const qetagBlockSize = 4 * readSize;

  const tar = { sha256: createHash('sha256'), crc32: 0 };
  const file = { sha256: createHash('sha256'), sha1: createHash('sha1'), size: 0, descriptor: -1 };
  const qetagBlocks: Uint8Array[] = [];
  const buffer = Buffer.allocUnsafeSlow(readSize);

  const readUpTo = (path: string, size: number): void => {
    if (file.descriptor < 0) file.descriptor = openSync(path, 'r');
    while (file.size < size) {
      if (file.size > 0 && file.size % qetagBlockSize === 0) {
        qetagBlocks.push(file.sha1.digest());
        file.sha1 = createHash('sha1');
      }
      // Reads never cross the end of a qetag block.
      const wanted = Math.min(readSize - (file.size % readSize), size - file.size);
      const count = readSync(file.descriptor, buffer, 0, wanted, file.size);
      if (count === 0) throw new Error(`${path} is shorter than the data written to it`);
      const piece = buffer.subarray(0, count);
      file.sha256.update(piece);
      file.sha1.update(piece);
      file.size += count;
    }
  };

  const answer = (task: DigestTask): DigestAnswer => {
    if (task.kind === 'bytes') {
      tar.sha256.update(task.bytes);
      tar.crc32 = crc32(task.bytes, tar.crc32);
      return { kind: 'taken' };
    }
    if (task.kind === 'end-bytes')
      return { kind: 'bytes', sha256: tar.sha256.digest('hex'), crc32: tar.crc32 };
    readUpTo(task.path, task.size);
    if (task.kind === 'grown') return { kind: 'taken' };
    closeSync(file.descriptor);
    qetagBlocks.push(file.sha1.digest());
    return { kind: 'file', sha256: file.sha256.digest('hex'), qetagBlocks };
  };

  parentPort?.on('message', (task: DigestTask) => parentPort.postMessage(answer(task)));
}
