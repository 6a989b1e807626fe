import { describe, expect, test } from 'vitest';
import { digestHex } from '../../src/registry/oci/digest.ts';
import { type Manifest, parseManifest } from '../../src/registry/oci/manifest.ts';
import { MEDIA_TYPE } from '../../src/registry/oci/media-type.ts';
import { PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import { bytesContent } from '../support/registry/content.ts';
import type { Quirks } from '../support/registry/quirks.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage, seedIndex } from '../support/registry/seed.ts';
import type { Storage } from '../support/registry/storage.ts';
import { outcomes, type RunChoices, SyncRoute } from '../support/sync-run.ts';

const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** Stores something that refers to a manifest, by its subject. */
function attach(storage: Storage, repository: string, subject: Manifest, artifactType: string): Manifest {
  const describe = (text: string, mediaType: string) => {
    const bytes = Buffer.from(text);
    return { mediaType, digest: storage.putBlob(repository, bytesContent(bytes)), size: bytes.length };
  };
  const { mediaType, digest, bytes } = subject;
  const body = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociManifest,
    artifactType,
    config: describe('{}', 'application/vnd.oci.empty.v1+json'),
    layers: [describe(`${artifactType} of ${digest}`, artifactType)],
    subject: { mediaType, digest, size: bytes.length },
    annotations: { 'org.example.by': 'me' },
  };
  const stored = Buffer.from(JSON.stringify(body));
  storage.putManifest(repository, stored, body.mediaType);
  return parseManifest(stored, body.mediaType, repository);
}

async function place(choices: { quirks?: Quirks; style?: 'google' | 'plain' } = {}) {
  const { quirks = {}, style = 'google' } = choices;
  const stack = new AsyncDisposableStack();
  const source = stack.use(
    await startRegistry({ listing: { style }, quirks: { referrersApi: true }, access: PUBLIC_TOKENS }),
  );
  const destination = stack.use(await startRegistry({ quirks, access: TOKENS }));
  const route = new SyncRoute({ source, destination, set: { names: ['app'] } });
  const run = (more: RunChoices = {}) => route.run({ signatures: 'copy', verify: 'none', ...more });
  return { source, destination, run, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const tagOf = ({ digest }: Manifest) => `sha256-${digestHex(digest)}`;

describe('--signatures copy finds signatures where --verify-signatures does: at the referrers API', () => {
  test.each([true, false])(
    'of an image and all that its index lists (API at the destination: %s)',
    async (referrersApi) => {
      await using here = await place({ quirks: { referrersApi } });
      const { source, destination, run } = here;
      const index = seedIndex(source.storage, 'app', { tags: ['1.0.0'] });
      const [child] = index.kind === 'index' ? index.manifests : [];
      const amd64 = source.storage.manifest('app', child?.digest ?? '');
      if (amd64 === undefined) throw new Error('the index lists nothing');
      const image = parseManifest(amd64.bytes, amd64.mediaType, 'app');
      const ofIndex = attach(source.storage, 'app', index, BUNDLE);
      const ofImage = attach(source.storage, 'app', image, 'application/vnd.cncf.notary.signature');
      const other = attach(source.storage, 'app', index, 'application/vnd.amazon.soci.index.v2+json');
      const { report } = await run();
      expect(outcomes(report)).toEqual({
        'app:1.0.0': 'copied',
        [`app:${tagOf(index)}`]: 'copied',
        [`app:${tagOf(image)}`]: 'copied',
      });
      const held = (manifest: Manifest) => destination.storage.manifest('keel/app', manifest.digest)?.digest;
      expect([held(ofIndex), held(ofImage), held(other)]).toEqual([
        ofIndex.digest,
        ofImage.digest,
        undefined,
      ]);
      for (const { digest } of ofIndex.kind === 'image' ? ofIndex.layers : []) {
        expect(destination.storage.blob('keel/app', digest)).toBeDefined();
      }
      const fallback = destination.storage.manifest('keel/app', tagOf(index));
      expect(fallback === undefined).toBe(referrersApi);
      if (fallback === undefined) return;
      expect(JSON.parse(fallback.bytes.toString('utf8'))).toEqual({
        schemaVersion: 2,
        mediaType: MEDIA_TYPE.ociIndex,
        manifests: [
          {
            mediaType: MEDIA_TYPE.ociManifest,
            digest: ofIndex.digest,
            size: ofIndex.bytes.length,
            artifactType: BUNDLE,
            annotations: { 'org.example.by': 'me' },
          },
        ],
      });
    },
  );

  test('joins the list that others wrote at the destination', async () => {
    await using here = await place();
    const { source, destination, run } = here;
    const image = seedImage(source.storage, 'app', { tags: ['1.0.0'] });
    attach(source.storage, 'app', image, BUNDLE);
    const theirs = attach(destination.storage, 'keel/app', image, 'application/spdx+json');
    const { mediaType, digest, bytes } = theirs;
    const list = { mediaType: MEDIA_TYPE.ociIndex, manifests: [{ mediaType, digest, size: bytes.length }] };
    const index = Buffer.from(JSON.stringify({ schemaVersion: 2, ...list }));
    destination.storage.putManifest('keel/app', index, MEDIA_TYPE.ociIndex, [tagOf(image)]);
    await run();
    const body: { manifests: { digest: string }[] } = JSON.parse(
      destination.storage.manifest('keel/app', tagOf(image))?.bytes.toString('utf8') ?? '{}',
    );
    expect(body.manifests.map((entry) => entry.digest)).toContain(digest);
    expect(body.manifests).toHaveLength(2);
  });
});

describe('a night without a change', () => {
  test.each(['google', 'plain'] as const)('asks no referrers API again (%s listing)', async (style) => {
    await using here = await place({ style });
    const { source, destination, run } = here;
    attach(source.storage, 'app', seedImage(source.storage, 'app', { tags: ['1.0.0'] }), BUNDLE);
    await run();
    const asked = () => source.journal.count('referrers') + destination.journal.count('referrers');
    const before = asked();
    await run();
    expect([before, asked()]).toEqual([2, before]);
    // What was attached later is found when the tag is verified.
    attach(
      source.storage,
      'app',
      seedImage(source.storage, 'app', { tags: ['1.0.0'] }),
      'application/vnd.in-toto+json',
    );
    const { report } = await run({ verify: 'all' });
    expect(Object.values(outcomes(report)).toSorted()).toEqual(['checked', 'copied']);
    expect(asked()).toBe(before + 2);
  });

  test('asks a source without the API once, and never again', async () => {
    await using here = await place({ style: 'plain' });
    const { source, run } = here;
    source.quirks = {};
    for (const tag of ['1.0.0', '1.1.0', '1.2.0'])
      seedIndex(source.storage, 'app', { seed: tag, tags: [tag] });
    await run();
    const first = source.journal.count('referrers');
    expect(first).toBeGreaterThan(0);
    await run();
    expect(source.journal.count('referrers')).toBe(first);
  });
});

test('signatures that cannot be had are told as such, and asked for again the next night', async () => {
  await using here = await place();
  const { source, destination, run } = here;
  const image = seedImage(source.storage, 'app', { tags: ['1.0.0'] });
  const bundle = attach(source.storage, 'app', image, BUNDLE);
  const outage = source.fail({
    match: { kind: 'manifest-get', when: ({ reference }) => reference === bundle.digest },
    fault: { kind: 'status', status: 503 },
    times: Number.POSITIVE_INFINITY,
  });
  const { report } = await run();
  expect(outcomes(report)).toEqual({ 'app:1.0.0': 'copied', [`app:${tagOf(image)}`]: 'failed' });
  outage.stop();
  // It is asked for when its tag is asked for.
  await run({ verify: 'all' });
  expect(destination.storage.manifest('keel/app', bundle.digest)).toBeDefined();
});
