import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import type { DigestAnswer, DigestTask } from './digest-thread.ts';
import { Qetag } from './qetag.ts';

// The thread's own file: `DigestThread` starts it. It must not import more than it needs, for it is loaded each time.

const READ_SIZE = 1024 * 1024;

const tar = { sha256: createHash('sha256'), crc32: 0 };
const file = { sha256: createHash('sha256'), qetag: new Qetag(), read: 0 };
const buffer = Buffer.allocUnsafe(READ_SIZE);
let descriptor: number | undefined;

function readFile(path: string, size: number): void {
  descriptor ??= openSync(path, 'r');
  while (file.read < size) {
    const count = readSync(descriptor, buffer, 0, Math.min(READ_SIZE, size - file.read), file.read);
    if (count === 0) throw new Error(`${path} is shorter than what was written to it`);
    const piece = buffer.subarray(0, count);
    file.sha256.update(piece);
    file.qetag.update(piece);
    file.read += count;
  }
}

function answer(task: DigestTask): DigestAnswer {
  if (task.kind === 'bytes') {
    const bytes = new Uint8Array(task.shared, task.start, task.length);
    tar.sha256.update(bytes);
    tar.crc32 = crc32(bytes, tar.crc32);
    return { kind: 'taken' };
  }
  if (task.kind === 'grown') {
    readFile(task.path, task.size);
    return { kind: 'taken' };
  }
  if (task.kind === 'end-bytes') return { kind: 'bytes', sha256: tar.sha256.digest('hex'), crc32: tar.crc32 };
  readFile(task.path, task.size);
  if (descriptor !== undefined) closeSync(descriptor);
  return { kind: 'file', sha256: file.sha256.digest('hex'), qetag: file.qetag.digest() };
}

parentPort?.on('message', (task: DigestTask) => {
  parentPort?.postMessage(answer(task));
});
