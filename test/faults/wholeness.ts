import { createHash } from 'node:crypto';
import { type Content, readContent } from '../support/registry/content.ts';
import type { Storage, StoredRepository } from '../support/registry/storage.ts';

/** Looks at a registry's storage with nothing of the project's own reading: only JSON and sha256. */
interface Body {
  readonly mediaType?: string;
  readonly manifests?: readonly { digest: string; size: number }[];
  readonly config?: { digest: string; size: number };
  readonly layers?: readonly { digest: string; size: number; urls?: readonly string[] }[];
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

/** Finds every tag under which something is missing or is not what its digest says; each as a line. */
export function brokenTags({ repositories, contents }: Storage): string[] {
  const seen = new Map<Content, { digest: string; size: number }>();
  const measure = (content: Content): { digest: string; size: number } => {
    const measured = seen.get(content) ?? hashOf(readContent(content));
    seen.set(content, measured);
    return measured;
  };
  const faults: string[] = [];
  const walk = (name: string, stored: StoredRepository, digest: string, path: string): void => {
    const manifest = [...stored.manifests.values()].find((each) => each.digest === digest);
    if (manifest === undefined) return void faults.push(`${path}: ${digest} is missing`);
    if (hashOf([manifest.bytes]).digest !== digest) faults.push(`${path}: ${digest} has other bytes`);
    const body: Body = JSON.parse(manifest.bytes.toString('utf8'));
    for (const child of body.manifests ?? []) walk(name, stored, child.digest, `${path} > ${digest}`);
    const blobs = [...(body.config === undefined ? [] : [body.config]), ...(body.layers ?? [])];
    for (const blob of blobs) {
      const content = [...contents].find(([known]) => known === blob.digest)?.[1];
      const isHeld = [...stored.blobs].some((held) => held === blob.digest);
      if (!isHeld || content === undefined) {
        if (!('urls' in blob)) faults.push(`${path}: blob ${blob.digest} is missing`);
        continue;
      }
      const measured = measure(content);
      if (measured.digest !== blob.digest || measured.size !== blob.size)
        faults.push(`${path}: blob ${blob.digest} has other bytes`);
    }
  };
  for (const [name, stored] of repositories) {
    for (const [tag, digest] of stored.tags) walk(name, stored, digest, `${name}:${tag}`);
  }
  return faults;
}
