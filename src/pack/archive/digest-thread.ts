import { Worker } from 'node:worker_threads';
import type { Block } from './block.ts';
import {
  type BytesDigest,
  type DigestAnswer,
  type DigestTask,
  digestWorker,
  type FileDigest,
} from './digest-worker.ts';

interface Waiting {
  readonly resolve: (answer: DigestAnswer) => void;
  readonly reject: (reason: unknown) => void;
}

/** Hashes on a thread of its own: blocks in shared memory, and a file while it grows. */
export class DigestThread implements AsyncDisposable {
  readonly #worker = new Worker(`(${digestWorker.toString()})()`, { eval: true });
  readonly #waiting: Waiting[] = [];
  #broken: { readonly reason: unknown } | undefined;

  constructor() {
    this.#worker.on('message', (answer: DigestAnswer) => this.#waiting.shift()?.resolve(answer));
    this.#worker.on('error', (error) => this.#break(error));
    this.#worker.on('exit', (code) => this.#break(new Error(`the hashing thread ended with code ${code}`)));
  }

  #break(reason: unknown): void {
    this.#broken ??= { reason };
    for (const waiting of this.#waiting.splice(0)) waiting.reject(reason);
  }

  #ask(task: DigestTask): Promise<DigestAnswer> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken.reason);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(task);
    });
  }

  /** Hashes a block of the tar, whose memory must not change until the promise is fulfilled. */
  async addBlock(block: Block): Promise<void> {
    await this.#ask({ kind: 'bytes', bytes: block.data });
  }

  /** Hashes what was added to the file up to `size`. */
  async fileGrew(path: string, size: number): Promise<void> {
    await this.#ask({ kind: 'grown', path, size });
  }

  /** Returns the sums of all blocks. */
  async endBlocks(): Promise<BytesDigest> {
    const answer = await this.#ask({ kind: 'end-bytes' });
    if (answer.kind !== 'bytes') throw new Error(`the hashing thread answered "${answer.kind}"`);
    return answer;
  }

  /** Returns the sums of the whole file. */
  async endFile(path: string, size: number): Promise<FileDigest> {
    const answer = await this.#ask({ kind: 'end-file', path, size });
    if (answer.kind !== 'file') throw new Error(`the hashing thread answered "${answer.kind}"`);
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}
