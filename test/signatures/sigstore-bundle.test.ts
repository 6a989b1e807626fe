import { describe, expect, test } from 'vitest';
import { digestHex, digestOf } from '../../src/registry/oci/digest.ts';
import { isBundleType, readBundle } from '../../src/signatures/sigstore-bundle.ts';

const MANIFEST = Buffer.from('{"schemaVersion":2}');
const DIGEST = digestOf(MANIFEST);

test.each([
  ['application/vnd.dev.sigstore.bundle.v0.3+json', true],
  ['application/vnd.dev.sigstore.bundle+json;version=0.2', true],
  ['application/vnd.dev.sigstore.bundles+json', false],
  ['application/vnd.in-toto+json', false],
  ['text/plain; application/vnd.dev.sigstore.bundle.v0.3+json', false],
])('whether %s is the type of a bundle: %s', (mediaType, is) => {
  expect(isBundleType(mediaType)).toBe(is);
});

function read(bundle: unknown) {
  return readBundle(Buffer.from(JSON.stringify(bundle)), DIGEST, MANIFEST);
}

function statement(body: unknown, payloadType = 'application/vnd.in-toto+json') {
  return { dsseEnvelope: { payloadType, payload: Buffer.from(JSON.stringify(body)).toString('base64') } };
}

function about(digest: object, predicateType = 'https://sigstore.dev/cosign/sign/v1') {
  return statement({ subject: [{ digest }], predicateType });
}

test('a signature of bytes is one of the manifest', () => {
  const bundle = { messageSignature: { signature: 'abc' } };
  expect(read(bundle)).toEqual({
    kind: 'candidate',
    form: 'bundle',
    bundle,
    artifact: MANIFEST,
    names: { claims: [] },
  });
});

describe('a statement', () => {
  test.each([
    ['https://sigstore.dev/cosign/sign/v1'],
    ['https://slsa.dev/provenance/v1'],
    ['https://slsa.dev/provenance/v0.2'],
    ['https://k8s.io/promo-tools/promotion/v1'],
    ['https://in-toto.io/attestation/release/v0.1'],
  ])('of the kind %s counts', (predicateType) => {
    const bundle = about({ sha256: digestHex(DIGEST) }, predicateType);
    expect(read(bundle)).toMatchObject({ kind: 'candidate', form: 'bundle', bundle, artifact: undefined });
  });

  test('counts where the image is one of several subjects', () => {
    const subject = [{ digest: { sha256: 'f'.repeat(64) } }, { digest: { sha256: digestHex(DIGEST) } }];
    const predicateType = 'https://slsa.dev/provenance/v1';
    expect(read(statement({ subject, predicateType }))).toMatchObject({ kind: 'candidate' });
  });

  test('is named by the subjects that have the digest of the image, and by no other', () => {
    const digest = { sha256: digestHex(DIGEST) };
    const subject = [
      { name: 'registry.k8s.io/kube-proxy', digest: { sha256: 'f'.repeat(64) } },
      { name: 'registry.k8s.io/pause', digest },
      { digest },
      { name: null, digest },
      { name: 'ghcr.io/owner/pause', digest },
    ];
    expect(read(statement({ subject, predicateType: 'https://slsa.dev/provenance/v1' }))).toMatchObject({
      names: { claims: [['registry.k8s.io/pause', 'ghcr.io/owner/pause']] },
    });
  });

  const sha256 = digestHex(DIGEST);
  function promotion(predicate: unknown) {
    const subject = [{ name: 'registry.k8s.io/pause', digest: { sha256 } }];
    return read(statement({ subject, predicate, predicateType: 'https://k8s.io/promo-tools/promotion/v1' }));
  }

  // https://github.com/kubernetes-sigs/promo-tools/blob/main/docs/promotion-predicate.md
  test('of a promotion names the image in each of its places, and its tags', () => {
    const predicate = {
      srcRef: `gcr.io/k8s-staging-pause/pause@${DIGEST}`,
      dstRef: 'registry.k8s.io/pause',
      digest: DIGEST,
      tags: ['3.10', '3.10.1'],
      destination: { name: 'registry.k8s.io/pause', digest: { sha256 } },
    };
    const name = ['registry.k8s.io/pause'];
    expect(promotion(predicate)).toMatchObject({
      names: { claims: [name, name, name], tags: ['3.10', '3.10.1'] },
    });
    expect(promotion(undefined)).toMatchObject({ names: { claims: [name], tags: undefined } });
    expect(promotion({ tags: [] })).toMatchObject({ names: { claims: [name], tags: undefined } });
  });

  test.each<[predicate: unknown, reason: string]>([
    [{ digest: digestOf(Buffer.from('other')) }, 'it is the promotion of another image'],
    [{ destination: { digest: { sha256: 'f'.repeat(64) } } }, 'it is the promotion of another image'],
    [{ tags: '3.10' }, 'it is not a promotion record'],
    [{ dstRef: {} }, 'it is not a promotion record'],
    ['pause', 'it is not a promotion record'],
  ])('of a promotion does not count where its record is %j', (predicate, reason) => {
    expect(promotion(predicate)).toEqual({ kind: 'unfit', reason });
  });

  test.each<[what: string, bundle: unknown, reason: string]>([
    ['about another digest', about({ sha256: 'f'.repeat(64) }), 'it is a statement about another image'],
    ['about no digest', about({}), 'it is a statement about another image'],
    [
      'about the digest by another algorithm',
      about({ sha512: digestHex(DIGEST) }),
      'it is a statement about another image',
    ],
    [
      'that an image failed a test',
      about({ sha256: digestHex(DIGEST) }, 'https://example.com/failed'),
      'it is a statement of another kind, https://example.com/failed',
    ],
    [
      'of a kind whose name only begins like a known one',
      about({ sha256: digestHex(DIGEST) }, 'https://slsa.dev/provenance/v1/not'),
      'it is a statement of another kind, https://slsa.dev/provenance/v1/not',
    ],
    ['of another type', statement({}, 'text/plain'), 'it is not an in-toto statement'],
    [
      'without a subject',
      statement({ predicateType: 'https://slsa.dev/provenance/v1' }),
      'it is a statement about another image',
    ],
    [
      'that is no JSON',
      { dsseEnvelope: { payloadType: 'application/vnd.in-toto+json', payload: 'e30' } },
      'it is not an in-toto statement',
    ],
  ])('%s does not', (_what, bundle, reason) => {
    expect(read(bundle)).toEqual({ kind: 'unfit', reason });
  });
});

test.each([
  ['', undefined],
  ['{', undefined],
  ['null', undefined],
  ['[]', undefined],
  ['{"messageSignature":null}', undefined],
])('%j is no bundle', (text) => {
  expect(readBundle(Buffer.from(text), DIGEST, MANIFEST)).toEqual({
    kind: 'unfit',
    reason: 'it is not a bundle with a signature',
  });
});
