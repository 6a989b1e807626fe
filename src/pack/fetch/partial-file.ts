import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { failureCode } from '../../lib/failure.ts';

const noteShape = z.object({ url: z.string(), validator: z.string() });

/** A strong ETag or a date, by which a server tells whether the rest of a file still belongs to its beginning. */
export function validatorOf(headers: {
  etag?: string | undefined;
  'last-modified'?: string | undefined;
}): string | undefined {
  const { etag } = headers;
  return etag !== undefined && !etag.startsWith('W/') ? etag : headers['last-modified'];
}

/**
 * The beginning of a download, beside its later place, and a note of what it is the beginning of. It outlives the
 * run, so that the next one goes on from there.
 */
export class PartialFile {
  readonly path: string;
  readonly #final: string;
  readonly #note: string;
  readonly #url: string;

  constructor(final: string, url: URL) {
    this.#final = final;
    this.path = `${final}.part`;
    this.#note = `${final}.part.json`;
    this.#url = url.href;
  }

  /** Returns how much is there and by which validator to ask for the rest; undefined where nothing is of use. */
  async beginning(): Promise<{ readonly size: number; readonly validator: string } | undefined> {
    try {
      const note = noteShape.parse(JSON.parse(await readFile(this.#note, 'utf8')));
      const { size } = await stat(this.path);
      return note.url === this.#url && size > 0 ? { size, validator: note.validator } : undefined;
    } catch (error) {
      // A note that cannot be read is worth as much as none: the download starts over.
      if (error instanceof z.ZodError || error instanceof SyntaxError || failureCode(error) === 'ENOENT')
        return undefined;
      throw error;
    }
  }

  /** Starts over: notes what is coming, or that a cut will have to start over again. */
  async begin(validator: string | undefined): Promise<void> {
    await rm(this.path, { force: true });
    if (validator === undefined) await rm(this.#note, { force: true });
    else await writeFile(this.#note, JSON.stringify({ url: this.#url, validator }));
  }

  async discard(): Promise<void> {
    await rm(this.path, { force: true });
    await rm(this.#note, { force: true });
  }

  /** Puts the whole file in its place at once. */
  async finish(): Promise<void> {
    await rename(this.path, this.#final);
    await rm(this.#note, { force: true });
  }
}
