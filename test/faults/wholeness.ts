import { createHash } from 'node:crypto';
import { type Content, readContent } from '../support/registry/content.ts';
import type { Storage } from '../support/registry/storage.ts';

/** Looks at a registry's storage with nothing of the project's own reading: only JSON and sha256. */
interface Body {
  readonly mediaType?: string;
  readonly manifests?: readonly { digest: string; size: number }[];
  readonly config?: { digest: string; size: number; mediaType?: string };
  readonly layers?: readonly { digest: string; size: number; mediaType?: string }[];
}

function hashOf(pieces: Iterable<Buffer>): { digest: string; size: number } {
  const hash = createHash('sha256');
  let size = 0;
  for (const piece of pieces) {
    hash.update(piece);
    size += piece.length;
  }
  return { digest: `sha256:${hash.digest('hex')}`, size };
}

/** What a repository holds, to be found by what a manifest says. */
interface Held {
  readonly manifests: ReadonlyMap<string, { readonly bytes: Buffer }>;
  readonly blobs: ReadonlySet<string>;
}

/** Finds every tag under which something is missing or is not what its digest says; each as a line. */
export function brokenTags({ repositories, contents }: Storage): string[] {
  const stored = new Map<string, Content>(contents);
  const seen = new Map<Content, { digest: string; size: number }>();
  const measure = (content: Content): { digest: string; size: number } => {
    const measured = seen.get(content) ?? hashOf(readContent(content));
    seen.set(content, measured);
    return measured;
  };
  const faults: string[] = [];
  const walk = (held: Held, digest: string, path: string): void => {
    const manifest = held.manifests.get(digest);
    if (manifest === undefined) return void faults.push(`${path}: ${digest} is missing`);
    if (hashOf([manifest.bytes]).digest !== digest) faults.push(`${path}: ${digest} has other bytes`);
    const body: Body = JSON.parse(manifest.bytes.toString('utf8'));
    for (const child of body.manifests ?? []) walk(held, child.digest, `${path} > ${digest}`);
    const blobs = [...(body.config === undefined ? [] : [body.config]), ...(body.layers ?? [])];
    for (const blob of blobs) {
      const content = stored.get(blob.digest);
      if (!held.blobs.has(blob.digest) || content === undefined) {
        if (!/foreign|nondistributable/.test(blob.mediaType ?? ''))
          faults.push(`${path}: blob ${blob.digest} is missing`);
        continue;
      }
      const measured = measure(content);
      if (measured.digest !== blob.digest || measured.size !== blob.size)
        faults.push(`${path}: blob ${blob.digest} has other bytes`);
    }
  };
  for (const [name, { manifests, blobs, tags }] of repositories) {
    const held = { manifests: new Map<string, { bytes: Buffer }>(manifests), blobs: new Set<string>(blobs) };
    for (const [tag, digest] of tags) walk(held, digest, `${name}:${tag}`);
  }
  return faults;
}
