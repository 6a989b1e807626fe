import { describe, expect, test } from 'vitest';
import { digestHex } from '../../src/registry/oci/digest.ts';
import { type Manifest, parseManifest } from '../../src/registry/oci/manifest.ts';
import { MEDIA_TYPE } from '../../src/registry/oci/media-type.ts';
import { PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import { bytesContent } from '../support/registry/content.ts';
import type { Quirks } from '../support/registry/quirks.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
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
    // The image and its signature at the source, the image at the destination.
    expect([before, asked()]).toEqual([3, before]);
    // What was attached later is found when the tag is verified.
    attach(
      source.storage,
      'app',
      seedImage(source.storage, 'app', { tags: ['1.0.0'] }),
      'application/vnd.in-toto+json',
    );
    const { report } = await run({ verify: 'all' });
    expect(Object.values(outcomes(report)).toSorted()).toEqual(['checked', 'copied']);
    expect(asked()).toBe(before + 4);
  });

  test('asks a source without the API once in a run that has a question', async () => {
    await using here = await place({ style: 'plain' });
    const { source, run } = here;
    source.quirks = {};
    const late = { kind: 'delay', milliseconds: 200 } as const;
    source.fail({ match: { kind: 'referrers' }, times: Infinity, fault: late });
    for (const tag of ['1.0.0', '1.1.0', '1.2.0'])
      seedIndex(source.storage, 'app', { seed: tag, tags: [tag] });
    await run();
    const asked = () => source.journal.count('referrers');
    // All are asked about before the first answer comes.
    expect(asked()).toBe(1);
    await run();
    expect(asked()).toBe(1);
    await run({ verify: 'all' });
    expect(asked()).toBe(2);
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

describe('what refers to a signature or a bill of materials follows it', () => {
  const SBOM = 'application/vnd.cyclonedx+json';
  const NOTATION = 'application/vnd.cncf.notary.signature';

  /** Returns the digests that a list of referrers at the destination has. */
  function listedAt(destination: TestRegistry, tag: string): string[] {
    const { bytes = Buffer.from('{"manifests":[]}') } = destination.storage.manifest('keel/app', tag) ?? {};
    const { manifests }: { manifests: { digest: string }[] } = JSON.parse(bytes.toString('utf8'));
    return manifests.map(({ digest }) => digest);
  }

  /** Answers the referrers API of a registry, of which only the list is made up. */
  function tell(source: TestRegistry, list: (subject: Manifest) => readonly Manifest[]) {
    return source.fail({
      match: { kind: 'referrers' },
      times: Number.POSITIVE_INFINITY,
      fault: {
        kind: 'made',
        *pieces({ pathname }) {
          const stored = source.storage.manifest('app', pathname.slice(pathname.lastIndexOf('/') + 1));
          if (stored === undefined) throw new Error('the run asks for what is not there');
          const subject = parseManifest(stored.bytes, stored.mediaType, 'app');
          const manifests = list(subject).map(({ mediaType, digest, bytes }) => {
            return { mediaType, digest, size: bytes.length, artifactType: BUNDLE };
          });
          yield Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests }));
        },
      },
    });
  }

  test.each([true, false])('a chain of three (API at the destination: %s)', async (referrersApi) => {
    await using here = await place({ quirks: { referrersApi } });
    const { source, destination, run } = here;
    const image = seedImage(source.storage, 'app', { tags: ['1.0.0'] });
    const sbom = attach(source.storage, 'app', image, SBOM);
    const signature = attach(source.storage, 'app', sbom, NOTATION);
    const again = attach(source.storage, 'app', signature, BUNDLE);
    const { report } = await run();
    expect(outcomes(report)).toEqual({
      'app:1.0.0': 'copied',
      [`app:${tagOf(image)}`]: 'copied',
      [`app:${tagOf(sbom)}`]: 'copied',
      [`app:${tagOf(signature)}`]: 'copied',
    });
    for (const { digest } of [sbom, signature, again])
      expect(destination.storage.manifest('keel/app', digest)).toBeDefined();
    const lists = [image, sbom, signature, again].map((subject) => listedAt(destination, tagOf(subject)));
    expect(lists).toEqual(
      referrersApi ? [[], [], [], []] : [[sbom.digest], [signature.digest], [again.digest], []],
    );
    // The image, and each that was found; the last has nothing, so that the destination is not asked for it.
    expect([source, destination].map(({ journal }) => journal.count('referrers'))).toEqual([4, 3]);
    await run();
    expect(source.journal.count('referrers')).toBe(4);
  });

  test('one that came later, for what is there already', async () => {
    await using here = await place({ quirks: { referrersApi: true } });
    const { source, destination, run } = here;
    const image = seedImage(source.storage, 'app', { tags: ['1.0.0'] });
    const sbom = attach(source.storage, 'app', image, SBOM);
    await run();
    const signature = attach(source.storage, 'app', sbom, NOTATION);
    const { report } = await run({ verify: 'all' });
    expect(outcomes(report)).toEqual({ 'app:1.0.0': 'checked', [`app:${tagOf(sbom)}`]: 'copied' });
    expect(destination.storage.manifest('keel/app', signature.digest)).toBeDefined();
  });

  test('by a tag of cosign, at a source that has the API for the rest', async () => {
    await using here = await place();
    const { source, destination, run } = here;
    const sbom = attach(source.storage, 'app', seedImage(source.storage, 'app', { tags: ['1.0.0'] }), SBOM);
    const { digest } = seedImage(source.storage, 'app', { seed: 'sig', tags: [`${tagOf(sbom)}.sig`] });
    await run();
    expect(destination.storage.manifest('keel/app', `${tagOf(sbom)}.sig`)?.digest).toBe(digest);
  });

  test('by tags alone, also those that came later, and in a circle', async () => {
    await using here = await place();
    const { source, destination, run } = here;
    source.quirks = {};
    const image = seedImage(source.storage, 'app', { tags: ['1.0.0'] });
    const sbom = attach(source.storage, 'app', image, SBOM);
    const signature = attach(source.storage, 'app', sbom, NOTATION);
    const list = (subject: Manifest, referrer: Manifest) => {
      const { mediaType, digest, bytes } = referrer;
      const body = {
        schemaVersion: 2,
        mediaType: MEDIA_TYPE.ociIndex,
        manifests: [{ mediaType, digest, size: bytes.length }],
      };
      source.storage.putManifest('app', Buffer.from(JSON.stringify(body)), body.mediaType, [tagOf(subject)]);
    };
    list(image, sbom);
    await run();
    list(sbom, signature);
    list(signature, sbom);
    await run({ verify: 'all' });
    expect([image, sbom, signature].map((subject) => listedAt(destination, tagOf(subject)))).toEqual([
      [sbom.digest],
      [signature.digest],
      [sbom.digest],
    ]);
  });

  test('in a circle, once', async () => {
    await using here = await place();
    const { source, destination, run } = here;
    const image = seedImage(source.storage, 'app', { tags: ['1.0.0'] });
    const one = attach(source.storage, 'app', image, SBOM);
    const other = attach(source.storage, 'app', one, NOTATION);
    const circle = tell(source, ({ digest }) => [digest === one.digest ? other : one]);
    const { report } = await run();
    expect(circle.hits).toBe(3);
    expect(Object.values(outcomes(report))).toEqual(['copied', 'copied', 'copied', 'copied']);
    expect(listedAt(destination, tagOf(other))).toEqual([one.digest]);
  });

  test('up to an end, where the source has none', async () => {
    await using here = await place();
    const { source, destination, run } = here;
    const image = seedImage(source.storage, 'app', { tags: ['1.0.0'] });
    seedImage(source.storage, 'app', { seed: 'other', tags: ['1.1.0'] });
    const made: Manifest[] = [];
    const isOurs = ({ digest }: Manifest) => [image, ...made].some((each) => each.digest === digest);
    const chain = tell(source, (subject) => {
      if (!isOurs(subject)) return [];
      const next = attach(source.storage, 'app', subject, BUNDLE);
      made.push(next);
      return [next];
    });
    const { report } = await run();
    const failures = report.images.filter(({ outcome }) => outcome === 'failed');
    expect(failures.map(({ reason }) => reason)).toMatchObject([
      {
        code: 'REFERRERS_UNREASONABLE',
        message: expect.stringContaining('its referrers are nested more than 8 levels deep'),
      },
    ]);
    expect(Object.values(outcomes(report)).filter((outcome) => outcome === 'copied')).toHaveLength(10);
    expect(chain.hits).toBe(10);
    const copied = made.map(({ digest }) => destination.storage.manifest('keel/app', digest) !== undefined);
    expect(copied).toEqual([...Array.from({ length: 8 }, () => true), false]);
  });

  test('the first 5,000 of too many', async () => {
    await using here = await place({ quirks: { referrersApi: true } });
    const { source, destination, run } = here;
    const image = seedImage(source.storage, 'app', { tags: ['1.0.0'] });
    const made = Array.from({ length: 5001 }, (_, number) =>
      attach(source.storage, 'app', image, `${SBOM};number=${number}`),
    );
    // All but the last three are there already, which saves the test some time.
    for (const { bytes, mediaType } of made.slice(0, -3))
      destination.storage.putManifest('keel/app', bytes, mediaType);
    const { report } = await run();
    expect(outcomes(report)).toEqual({ 'app:1.0.0': 'copied', [`app:${tagOf(image)}`]: 'failed' });
    expect(source.journal.count('referrers')).toBe(1);
    const isThere = ({ digest }: Manifest) => destination.storage.manifest('keel/app', digest) !== undefined;
    expect(made.map(isThere).lastIndexOf(true)).toBe(4999);
    expect(made.filter(isThere)).toHaveLength(5000);
  });

  test('and costs nothing where there is none', async () => {
    await using here = await place();
    const { source, destination, run } = here;
    seedIndex(source.storage, 'app', { tags: ['1.0.0'] });
    await run();
    // The index and what it lists, as without signatures of signatures.
    expect(source.journal.count('referrers')).toBe(3);
    expect(destination.journal.count('referrers')).toBe(0);
  });
});
