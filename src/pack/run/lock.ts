import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { writeFileWhole } from '../../lib/atomic-file.ts';
import { Failure, failureCode } from '../../lib/failure.ts';
import { type Digest, isDigest } from '../../registry/oci/digest.ts';
import { type Host, parseHost, parseReference } from '../../registry/oci/reference.ts';
import type { PackageContents } from '../contents/contents.ts';
import type { CheckedBy } from '../fetch/component-fetch.ts';
import type { LockedCheck } from '../fetch/image-fetch.ts';

/** A download as a lock has it. */
export interface LockedComponent {
  readonly name: string;
  readonly tag: string;
  readonly url: string;
  readonly sha256: Digest;
  readonly check: CheckedBy;
}

/** What a package was resolved to: given again, it makes the same package. */
export interface Lock {
  readonly file: string;
  readonly package: string;
  readonly imageFormat: string;
  /** By the names of the images upstream. */
  readonly images: ReadonlyMap<string, LockedCheck>;
  /** By their names. */
  readonly components: ReadonlyMap<string, LockedComponent>;
  /** The files that are neither of an image nor of a component, by path. */
  readonly files: ReadonlyMap<string, Digest>;
  /** The sha256 of the tar. */
  readonly tar: Digest;
}

const SCHEMA = 1;

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'not a digest');
const imageCheck = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('pin') }),
  z.object({ kind: z.literal('upstream'), registry: z.string().transform((text): Host => parseHost(text)) }),
  z.object({ kind: z.literal('mirror-only'), reason: z.string() }),
]);
const imageSignature = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('verified'), identity: z.string(), issuer: z.string() }),
  z.object({ kind: z.literal('unverified'), reason: z.string() }),
]);
const lockShape = z.object({
  schema: z.literal(SCHEMA),
  package: z.string(),
  imageFormat: z.string(),
  images: z.array(
    z.object({
      upstream: z.string(),
      pulledBy: z.string().transform((text) => parseReference(text)),
      index: digest.optional(),
      digest,
      check: imageCheck,
      signature: imageSignature.optional(),
    }),
  ),
  components: z.array(
    z.object({
      name: z.string(),
      tag: z.string(),
      url: z.string(),
      sha256: digest,
      check: z.object({
        kind: z.enum(['pin', 'published', 'none']),
        digest: digest.optional(),
        source: z.string().optional(),
      }),
    }),
  ),
  files: z.record(z.string(), digest),
  tar: digest,
});

function malformed(file: string, message: string, cause: unknown): Failure<'LOCK_MALFORMED'> {
  return new Failure({
    code: 'LOCK_MALFORMED',
    about: file,
    message,
    hint: 'give a file that packer --lock wrote; remove it to write a new one',
    cause,
  });
}

/** Reads a lock; undefined where there is no file yet. Throws `LOCK_MALFORMED`. */
export async function readLock(file: string): Promise<Lock | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if (failureCode(cause) === 'ENOENT') return undefined;
    throw malformed(file, `it cannot be read (${failureCode(cause)})`, cause);
  }
  try {
    const { images, components, files, ...lock } = lockShape.parse(JSON.parse(text));
    return {
      ...lock,
      file,
      images: new Map(images.map(({ upstream, ...image }) => [upstream, { ...image, index: image.index }])),
      components: new Map(components.map((component) => [component.name, component])),
      files: new Map(Object.entries(files)),
    };
  } catch (cause) {
    const wrong = cause instanceof z.ZodError ? cause.issues[0] : undefined;
    const where = wrong === undefined ? '' : ` (${wrong.path.join('.')}: ${wrong.message})`;
    throw malformed(file, `it is not a lock${where}`, cause);
  }
}

/** What is known of a package once it is written. */
export interface LockFacts {
  readonly contents: PackageContents;
  /** By component name, the whole address. */
  readonly addresses: ReadonlyMap<string, URL>;
  readonly imageFormat: string;
  readonly files: ReadonlyMap<string, Digest>;
  readonly tarSha256: Digest;
}

/** Writes a lock. Throws `FILE_UNWRITABLE`. */
export function writeLock(file: string, facts: LockFacts): void {
  const { contents, addresses, imageFormat, files, tarSha256 } = facts;
  const lock = {
    schema: SCHEMA,
    package: contents.package,
    imageFormat,
    images: contents.images.map(({ upstream, pulledBy, index, digest: found, check, signature }) => ({
      upstream,
      pulledBy,
      ...(index === undefined ? {} : { index }),
      digest: found,
      check,
      ...(signature === undefined ? {} : { signature }),
    })),
    components: contents.components.map(({ name, tag, url, sha256, check }) => {
      return { name, tag, url: addresses.get(name)?.href ?? url, sha256, check };
    }),
    files: Object.fromEntries(files),
    tar: tarSha256,
  };
  writeFileWhole(file, `${JSON.stringify(lock, undefined, 2)}\n`);
}
