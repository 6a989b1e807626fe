import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ContentHash } from './etag.ts';
import { Refusal } from './signatures.ts';

/** Content that arrived: what it hashes to, and the file it is in unless only hashes are kept. */
export interface Received {
  readonly hash: ContentHash;
  readonly md5: string;
  readonly etag: string;
  readonly file: string | undefined;
}

/** An object of a bucket. Its content are the contents of its parts, one after the other. */
export interface StoredObject {
  readonly key: string;
  readonly hash: string;
  readonly size: number;
  readonly mimeType: string;
  readonly putTime: number;
  readonly parts: readonly Received[];
}

/** A bucket and the region it lives in. */
export class Bucket {
  readonly name: string;
  readonly region: string;
  readonly objects = new Map<string, StoredObject>();

  constructor(name: string, region: string) {
    this.name = name;
    this.region = region;
  }

  /** Adds an object, as Kodo does: the same content again is fine, other content only where it may be replaced. */
  put(object: StoredObject, replace: boolean): void {
    const present = this.objects.get(object.key);
    if (present !== undefined && present.hash !== object.hash && !replace)
      throw new Refusal(614, 'file exists');
    this.objects.set(object.key, object);
  }
}

let received = 0;

/** Takes a body, hashing it on its way into a file of `folder` (or nowhere, when that is undefined). */
export async function receive(body: Readable, folder: string | undefined): Promise<Received> {
  const hash = new ContentHash();
  received += 1;
  const file = folder === undefined ? undefined : join(folder, `content-${received}`);
  if (file === undefined) {
    for await (const chunk of body) hash.update(chunk);
  } else {
    const hashing = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        done(null, chunk);
      },
    });
    try {
      await pipeline(body, hashing, createWriteStream(file));
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    }
  }
  return { hash, ...hash.finish(), file };
}

/** Returns an object's content. Throws when only hashes were kept. */
export function contentOf(object: StoredObject): Readable {
  const files = object.parts.map((part) => {
    if (part.file === undefined) throw new Error(`the content of ${object.key} was not kept`);
    return part.file;
  });
  return Readable.from(
    (async function* () {
      for (const file of files) yield* createReadStream(file);
    })(),
  );
}
