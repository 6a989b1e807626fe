import { readFile, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { readJson } from '../../lib/json.ts';
import type { PackageFile } from '../contract/target.ts';

const recordShape = z.object({
  version: z.literal(1),
  bucket: z.string(),
  key: z.string(),
  sha256: z.string(),
  uploadId: z.string(),
});

/** Remembers the open upload of a package, in a file next to the package. The file contains nothing secret. */
export class ResumeRecord {
  readonly #path: string;
  readonly #bucket: string;
  readonly #file: PackageFile;

  constructor(file: PackageFile, bucket: string) {
    this.#path = `${file.path}.${bucket}.upload.json`;
    this.#bucket = bucket;
    this.#file = file;
  }

  /**
   * Returns the id of the open upload of exactly this content; undefined if there is none or the record is unusable.
   */
  async read(): Promise<string | undefined> {
    try {
      const record = recordShape.parse(readJson(await readFile(this.#path)));
      const { sha256, name } = this.#file;
      const fits = record.bucket === this.#bucket && record.key === name && record.sha256 === sha256;
      return fits ? record.uploadId : undefined;
    } catch {
      return undefined;
    }
  }

  /** Writes the record. Never throws: without a record, the next run only has to start again. */
  async write(uploadId: string): Promise<void> {
    const { name: key, sha256 } = this.#file;
    const record = { version: 1, bucket: this.#bucket, key, sha256, uploadId };
    await writeFile(this.#path, `${JSON.stringify(record)}\n`).catch(() => undefined);
  }

  async forget(): Promise<void> {
    await rm(this.#path, { force: true }).catch(() => undefined);
  }
}
