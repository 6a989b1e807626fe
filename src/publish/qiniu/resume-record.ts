import { readFile, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import type { PackageFile } from '../target/target.ts';

const recordShape = z.object({
  version: z.literal(1),
  bucket: z.string(),
  key: z.string(),
  sha256: z.string(),
  uploadId: z.string(),
});

/** Remembers, in a file beside the package, which upload of it is open; it holds nothing secret. */
export class ResumeRecord {
  readonly #path: string;
  readonly #bucket: string;
  readonly #file: PackageFile;

  constructor(file: PackageFile, bucket: string) {
    this.#path = `${file.path}.${bucket}.upload.json`;
    this.#bucket = bucket;
    this.#file = file;
  }

  /** Returns the open upload of this very content; undefined where there is none, or the record is of no use. */
  async read(): Promise<string | undefined> {
    try {
      const record = recordShape.parse(JSON.parse(await readFile(this.#path, 'utf8')));
      const { sha256, name } = this.#file;
      const fits = record.bucket === this.#bucket && record.key === name && record.sha256 === sha256;
      return fits ? record.uploadId : undefined;
    } catch {
      return undefined;
    }
  }

  /** Writes the record. A folder that cannot be written to only costs the next run what was sent. */
  async write(uploadId: string): Promise<void> {
    const { name: key, sha256 } = this.#file;
    const record = { version: 1, bucket: this.#bucket, key, sha256, uploadId };
    await writeFile(this.#path, `${JSON.stringify(record)}\n`).catch(() => undefined);
  }

  async forget(): Promise<void> {
    await rm(this.#path, { force: true }).catch(() => undefined);
  }
}
