import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/registry/oci/digest.ts';
import type { Manifest } from '../../src/registry/oci/manifest.ts';
import { parseRepository } from '../../src/registry/oci/reference.ts';
import { findSignatures } from '../../src/signatures/signature-search.ts';
import type { Image } from '../support/images/image.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { seedImage, seedMade } from '../support/registry/seed.ts';
import {
  bundleManifest,
  type CosignLayer,
  cosignManifest,
  referrersIndex,
  signatureTag,
} from '../support/sigstore/signature.ts';
import { TestClient } from '../support/test-client.ts';

/** Layers that can be told apart by why they are no signatures: a search reads them and verifies nothing. */
function layer(text: string): CosignLayer {
  return { payload: Buffer.from(text), annotations: {} };
}

const NO_IMAGE = 'unfit: its payload is not for an image';
const NO_BUNDLE = 'unfit: it is not a bundle with a signature';
const NOT_THERE = 'unfit: the registry lists it, but does not have it';

/** An image at a registry, and what a search for its signatures finds. */
class Stand {
  readonly registry: TestRegistry;
  readonly image: Manifest;

  constructor(registry: TestRegistry) {
    this.registry = registry;
    this.image = seedImage(registry.storage, 'app');
  }

  put(tag: string | undefined, image: Image): void {
    seedMade(this.registry.storage, 'app', tag, image);
  }

  sign(...layers: readonly CosignLayer[]): void {
    this.put(signatureTag(this.image.digest), cosignManifest(layers));
  }

  /** Returns the manifests of what refers to the image now. */
  refer(...bundles: readonly object[]): readonly Image[] {
    const referrers = bundles.map((bundle) => bundleManifest(bundle, this.image));
    const { tag, image } = referrersIndex(this.image.digest, referrers);
    this.put(tag, image);
    return referrers;
  }

  async find(digest = this.image.digest): Promise<readonly string[]> {
    using client = new TestClient(this.registry.host);
    const place = { registry: client.registry, repository: parseRepository('app') };
    const found: string[] = [];
    for await (const each of findSignatures(place, digest, client.signal)) {
      found.push(each.kind === 'unfit' ? `unfit: ${each.reason}` : each.kind);
    }
    return found;
  }
}

async function found(prepare: (stand: Stand) => void): Promise<readonly string[]> {
  await using registry = await startRegistry();
  const stand = new Stand(registry);
  prepare(stand);
  return await stand.find();
}

describe('a search finds', () => {
  test.each<[what: string, prepare: (stand: Stand) => void, found: readonly string[]]>([
    ['nothing where there is nothing', () => undefined, []],
    ['each layer under the tag', (it) => it.sign(layer('a'), layer('b')), [NO_IMAGE, NO_IMAGE]],
    ['each bundle that refers to the image', (it) => it.refer({ a: 1 }, { b: 1 }), [NO_BUNDLE, NO_BUNDLE]],
    [
      'what is under the tag before what refers to the image',
      (it) => {
        it.refer({ a: 1 });
        it.sign(layer('a'));
      },
      [NO_IMAGE, NO_BUNDLE],
    ],
    [
      'what is listed and gone as that',
      (it) => {
        for (const { digest } of it.refer({ a: 1 })) it.registry.storage.deleteManifest('app', digest);
      },
      [NOT_THERE],
    ],
    [
      'a layer beyond the size of any signature without reading it',
      (it) => it.sign(layer('x'.repeat(1024 * 1024 + 1)), layer('a')),
      ['unfit: it is larger than any real signature', NO_IMAGE],
    ],
    [
      'no more than 64 in all, and that there may be more',
      (it) => {
        it.sign(...Array.from({ length: 60 }, (_, index) => layer(`${index}`)));
        it.refer(...Array.from({ length: 10 }, (_, index) => ({ index })));
      },
      [...Array.from({ length: 60 }, () => NO_IMAGE), ...Array.from({ length: 4 }, () => NO_BUNDLE), 'rest'],
    ],
  ])('%s', async (_what, prepare, expected) => {
    expect(await found(prepare)).toEqual(expected);
  });

  test.each(['manifest-get', 'blob-get', 'referrers'] as const)(
    'what cannot be had now as unread, at a %s that fails',
    async (kind) => {
      const seen = await found((it) => {
        it.sign(layer('a'));
        it.registry.fail({ match: { kind }, times: Infinity, fault: { kind: 'status', status: 503 } });
      });
      expect(seen).toContain('unread');
    },
  );
});

test('a digest that would make cosign’s tag too long is looked for among what refers to it only', async () => {
  await using registry = await startRegistry();
  const stand = new Stand(registry);
  expect(await stand.find(digestOf(Buffer.from('an image'), 'sha512'))).toEqual([]);
  expect(registry.journal.count({ path: /\.sig$/ })).toBe(0);
  expect(registry.journal.count('referrers')).toBe(1);
});

test('nothing more is asked for once enough was found', async () => {
  await using registry = await startRegistry();
  const stand = new Stand(registry);
  stand.sign(layer('a'), layer('b'), layer('c'));
  using client = new TestClient(registry.host);
  const place = { registry: client.registry, repository: parseRepository('app') };
  for await (const each of findSignatures(place, stand.image.digest, client.signal)) {
    expect(each.kind).toBe('unfit');
    break;
  }
  expect(registry.journal.count('blob-get')).toBe(1);
});
