import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseDocument } from '../../src/config/document.ts';
import { parseVersions } from '../../src/config/versions.ts';
import type { FileEntry } from '../../src/pack/archive/entry.ts';
import { assemble } from '../../src/pack/contents/assembly.ts';
import { blobPath } from '../../src/pack/fetch/blob-store.ts';
import { resolvePackage } from '../../src/pack/plan/package-resolution.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { type ImageRecipe, pulledImage } from './pulled-image.ts';

const SIGNAL = new AbortController().signal;

async function assembled(recipe: Omit<ImageRecipe, 'upstream'>) {
  const folder = scratchFolder();
  const versions = { images: [{ name: 'kube-proxy', tag: 'v1.37.1' }], components: [] };
  const file = parseVersions(parseDocument('versions.json', JSON.stringify({ ...versions, arch: 'amd64' })));
  const plan = resolvePackage(file, { imageSource: { kind: 'upstream' } });
  const [wanted] = plan.images;
  if (wanted === undefined) throw new Error('one image');
  const pulled = await pulledImage(folder, { upstream: 'registry.k8s.io/kube-proxy:v1.37.1', ...recipe });
  const image = {
    ...pulled,
    plan: wanted,
    index: undefined,
    namesArchitecture: false,
    diffIds: undefined,
    created: 0,
  };
  return assemble(
    {
      plan,
      images: [{ image, check: { kind: 'pin' } }],
      components: [],
      addons: [],
      overlay: [],
      imageFormat: 'oci',
      blobFiles: (digest) => join(folder, blobPath(digest)),
    },
    SIGNAL,
  );
}

function bytesOf({ content }: FileEntry): Uint8Array {
  if (content.kind === 'bytes') return content.bytes;
  if (content.kind === 'file') return readFileSync(content.path);
  throw new Error('nothing here is a stream');
}

it.each(['sha256', 'sha512'] as const)(
  'has the SHA-256 of each file in SHA256SUMS, of layers that are known by their %s too',
  async (algorithm) => {
    const { entries } = await assembled({ layers: ['base', 'pause'], algorithm });
    expect(
      entries.filter(({ path }) => path.startsWith(`images/blobs/${algorithm}/`)).length,
    ).toBeGreaterThan(1);
    const sums = entries.find(({ path }) => path === 'SHA256SUMS');
    const lines = entries
      .filter(({ path }) => path !== 'SHA256SUMS')
      .map((entry) => `${createHash('sha256').update(bytesOf(entry)).digest('hex')}  ${entry.path}`);
    const listed = sums === undefined ? '' : Buffer.from(bytesOf(sums)).toString();
    expect(listed.trim().split('\n').toSorted()).toEqual(lines.toSorted());
  },
);

it('tells install.sh what its images unpack to', async () => {
  const { entries } = await assembled({ layers: ['base', 'pause', 'base'] });
  const facts = entries.find(({ path }) => path === 'install/package.env');
  // Two tars of a file each: a header, the file, and the blocks at the end.
  expect(facts === undefined ? '' : Buffer.from(bytesOf(facts)).toString()).toMatch(/^IMAGES_SIZE=4096$/m);
});
