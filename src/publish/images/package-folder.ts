import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Failure } from '../../lib/failure.ts';
import { explainFileError } from '../../lib/file-error.ts';
import type { ByteRange } from '../../registry/registry.ts';
import { damaged, type PackageFiles, SMALL_FILE } from './package-files.ts';

/** A package that was unpacked into a folder. */
export class PackageFolder implements PackageFiles {
  readonly about: string;
  readonly limiter = undefined;

  constructor(folder: string) {
    this.about = folder;
  }

  position(): number {
    return 0;
  }

  async read(path: string, signal: AbortSignal): Promise<Buffer> {
    return await this.#with(path, signal, async (file) => {
      const { size } = await file.stat();
      if (size > SMALL_FILE)
        throw damaged(this.about, path, `it has ${size} bytes, which is more than packer reads`);
      return await file.readFile();
    });
  }

  async sumOf(path: string, signal: AbortSignal): Promise<string> {
    return await this.#with(path, signal, async (file) => {
      const hash = createHash('sha256');
      for await (const bytes of file.createReadStream({
        highWaterMark: 1024 * 1024,
        autoClose: false,
        signal,
      })) {
        hash.update(bytes);
      }
      return hash.digest('hex');
    });
  }

  async open(path: string, { start, end }: ByteRange, signal: AbortSignal): Promise<Readable> {
    const file = await this.#open(path, signal);
    if (start < end) return file.createReadStream({ start, end: end - 1, highWaterMark: 256 * 1024 });
    await file.close();
    return Readable.from([]);
  }

  async #with<Result>(
    path: string,
    signal: AbortSignal,
    work: (file: FileHandle) => Promise<Result>,
  ): Promise<Result> {
    await using file = await this.#open(path, signal);
    try {
      return await work(file);
    } catch (cause) {
      signal.throwIfAborted();
      throw cause instanceof Failure ? cause : damaged(this.about, path, explainFileError(cause), cause);
    }
  }

  async #open(path: string, signal: AbortSignal): Promise<FileHandle> {
    signal.throwIfAborted();
    try {
      // Opening a pipe that no program writes to would block, and only a kill would end this process.
      const file = await open(join(this.about, path), constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
      if ((await file.stat()).isFile()) return file;
      await file.close();
    } catch (cause) {
      throw damaged(this.about, path, explainFileError(cause), cause);
    }
    throw damaged(this.about, path, 'it is not a file');
  }

  [Symbol.dispose](): void {}
}
