import { describe, expect, test } from 'vitest';
import type { Digest } from '../../../src/registry/oci/digest.ts';
import { digestHex, digestOf } from '../../../src/registry/oci/digest.ts';
import { MEDIA_TYPE } from '../../../src/registry/oci/media-type.ts';
import { parseReference } from '../../../src/registry/oci/reference.ts';
import { checkImage } from '../../../src/sync/check/image-check.ts';
import { seedArtifact } from '../../faults/attested-image.ts';
import { PUBLIC_TOKENS, TOKENS } from '../../support/registry/access.ts';
import { bytesContent } from '../../support/registry/content.ts';
import { startRegistry } from '../../support/registry/registry.ts';
import { seedImage } from '../../support/registry/seed.ts';
import type { Storage } from '../../support/registry/storage.ts';
import { SyncRoute } from '../../support/sync-run.ts';

/** Stores what cosign keeps under its tag: a layer for each signature. */
function sign(storage: Storage, repository: string, tag: string, words: readonly string[]): void {
  const describe = (text: string, mediaType: string) => {
    const bytes = Buffer.from(text);
    return { mediaType, digest: storage.putBlob(repository, bytesContent(bytes)), size: bytes.length };
  };
  const body = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociManifest,
    config: describe('{}', 'application/vnd.oci.image.config.v1+json'),
    layers: words.map((word) => describe(word, 'application/vnd.dev.cosign.simplesigning.v1+json')),
  };
  storage.putManifest(repository, Buffer.from(JSON.stringify(body)), body.mediaType, [tag]);
}

/** Stores an index of artifacts, as the tag that stands for the referrers API leads to. */
function refer(storage: Storage, repository: string, tag: string, words: readonly string[]): void {
  const manifests = words.map((word) => {
    const { mediaType, digest, bytes } = seedArtifact(storage, repository, word);
    return { mediaType, digest, size: bytes.length };
  });
  const body = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests };
  storage.putManifest(repository, Buffer.from(JSON.stringify(body)), body.mediaType, [tag]);
}

const partsOf = (storage: Storage, repository: string, tag: string): readonly Digest[] => {
  const body: { layers?: { digest: Digest }[]; manifests?: { digest: Digest }[] } = JSON.parse(
    storage.manifest(repository, tag)?.bytes.toString('utf8') ?? '{}',
  );
  return [...(body.layers ?? []), ...(body.manifests ?? [])].map(({ digest }) => digest);
};

async function place() {
  const stack = new AsyncDisposableStack();
  const source = stack.use(await startRegistry({ listing: { style: 'google' }, access: PUBLIC_TOKENS }));
  const destination = stack.use(await startRegistry({ access: TOKENS }));
  const { digest } = seedImage(source.storage, 'app', { tags: ['1.0.0'] });
  const route = new SyncRoute({ source, destination, set: { names: ['app'] } });
  const run = () => route.run({ signatures: 'copy', verify: 'none' });
  const stem = `sha256-${digestHex(digest)}`;
  const check = async (tag: string) => {
    const image = parseReference(`${source.host}/app:${tag}`);
    const { tags } = await checkImage(image, route.settings(), route.parts());
    return tags.map(({ verdict, message }) => `${verdict}: ${message}`).join();
  };
  return { source, destination, run, check, stem, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const digests = (...words: readonly string[]) => words.map((word) => digestOf(Buffer.from(word)));

describe('a .sig tag that someone added to at the destination', () => {
  test('is left alone and told each night, where the source has another signature since', async () => {
    await using here = await place();
    const { source, destination, run, stem } = here;
    const tag = `${stem}.sig`;
    sign(source.storage, 'app', tag, ['first']);
    await run();
    sign(destination.storage, 'keel/app', tag, ['first', 'theirs']);
    sign(source.storage, 'app', tag, ['first', 'second']);
    for (const night of [1, 2]) {
      const { report, lines } = await run();
      expect(partsOf(destination.storage, 'keel/app', tag), `night ${night}`).toEqual(
        digests('first', 'theirs'),
      );
      const reported = report.images.find(({ destination: name }) => name.endsWith('.sig'));
      expect(reported).toMatchObject({ outcome: 'checked', reason: { code: 'LEFT_ALONE' } });
      expect(lines).toContain(
        'warning: 1 tag of signatures was left unchanged, because others added signatures or replaced them at the destination; ' +
          `the signatures of the source are missing there until you delete the tag or merge both: ${destination.host}/keel/app:${tag}`,
      );
      expect(await here.check(tag)).toMatch(
        /^differs: .*: someone else added to .* so synctl sync leaves it unchanged/,
      );
    }
  });

  test('is left alone where it has all that the source has, and asked for no more', async () => {
    await using here = await place();
    const { source, destination, run, stem } = here;
    const tag = `${stem}.sig`;
    sign(source.storage, 'app', tag, ['first']);
    await run();
    sign(source.storage, 'app', tag, ['first', 'second']);
    sign(destination.storage, 'keel/app', tag, ['first', 'second', 'theirs']);
    await run();
    expect(partsOf(destination.storage, 'keel/app', tag)).toEqual(digests('first', 'second', 'theirs'));
    destination.journal.clear();
    const { lines } = await run();
    expect(destination.journal.count('manifest-get') + destination.journal.count('manifest-head')).toBe(0);
    expect(lines.filter((line) => line.startsWith('warning: '))).toEqual([]);
    expect(await here.check(tag)).toMatch(
      /^mirrored: .*, merged with what others added to it, down to each layer/,
    );
  });

  test('follows the source where nobody touched it', async () => {
    await using here = await place();
    const { source, destination, run, stem } = here;
    const tag = `${stem}.sig`;
    sign(source.storage, 'app', tag, ['first']);
    await run();
    sign(source.storage, 'app', tag, ['second']);
    await run();
    expect(partsOf(destination.storage, 'keel/app', tag)).toEqual(digests('second'));
  });
});

test("the referrers' fallback index that someone added to is joined with the source's", async () => {
  await using here = await place();
  const { source, destination, run, stem } = here;
  refer(source.storage, 'app', stem, ['first']);
  await run();
  refer(destination.storage, 'keel/app', stem, ['first', 'theirs']);
  const [first, theirs] = partsOf(destination.storage, 'keel/app', stem);
  refer(source.storage, 'app', stem, ['first', 'second']);
  const second = partsOf(source.storage, 'app', stem).at(-1);
  const { report } = await run();
  expect(partsOf(destination.storage, 'keel/app', stem)).toEqual([first, second, theirs]);
  const reported = report.images.find(({ destination: name }) => name.endsWith(stem));
  expect(reported).toMatchObject({ outcome: 'copied', reason: { code: 'JOINED' } });
  expect(destination.storage.manifest('keel/app', second ?? '')).toBeDefined();
  // What was joined is known, so the next night asks for nothing, and the one after a change joins again.
  destination.journal.clear();
  await run();
  expect(destination.journal.count('manifest-put')).toBe(0);
  refer(source.storage, 'app', stem, ['first', 'second', 'third']);
  await run();
  expect(partsOf(destination.storage, 'keel/app', stem)).toHaveLength(4);
});
