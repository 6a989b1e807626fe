import { beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { readCosignLayer } from '../../src/signatures/cosign-layer.ts';
import { type CosignLayer, cosignLayer, cosignPayload } from '../support/sigstore/signature.ts';
import { TestSigstore } from '../support/sigstore/sigstore.ts';

const DIGEST = digestOf(Buffer.from('an image'));
const NAME = 'registry.k8s.io/pause';
const SIGNING = { identity: 'me@example.com', issuer: 'https://accounts.example.com' };
const SIGNATURE = 'dev.cosignproject.cosign/signature';
const CERTIFICATE = 'dev.sigstore.cosign/certificate';
const BUNDLE = 'dev.sigstore.cosign/bundle';

let layer: CosignLayer;
let other: CosignLayer;
beforeAll(async () => {
  const sigstore = await TestSigstore.start();
  layer = await cosignLayer(sigstore, cosignPayload(DIGEST, NAME), SIGNING);
  other = await cosignLayer(sigstore, cosignPayload(DIGEST, NAME), SIGNING);
});

/** Returns the layer with another text under one of its annotations, or without it. */
function having(key: string, text?: string): CosignLayer {
  const { [key]: _, ...rest } = layer.annotations;
  return { ...layer, annotations: text === undefined ? rest : { ...rest, [key]: text } };
}

/** Returns the layer with its entry in the log altered. */
function logged(alter: (payload: Record<string, unknown>) => object): CosignLayer {
  const entry = JSON.parse(layer.annotations[BUNDLE] ?? '');
  return having(BUNDLE, JSON.stringify({ ...entry, Payload: alter(entry.Payload) }));
}

test('a layer becomes a bundle of what was signed, under the name it was signed as', () => {
  const read = readCosignLayer(layer, DIGEST);
  expect(read).toMatchObject({
    kind: 'candidate',
    form: 'cosign',
    artifact: layer.payload,
    names: { claims: [[NAME]] },
    bundle: {
      mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.1',
      messageSignature: { signature: layer.annotations[SIGNATURE] },
    },
  });
});

test('the first certificate of a chain is the one that counts', () => {
  const chain = `${layer.annotations[CERTIFICATE]}${other.annotations[CERTIFICATE]}`;
  expect(readCosignLayer(having(CERTIFICATE, chain), DIGEST)).toEqual(readCosignLayer(layer, DIGEST));
});

test('a certificate may have other line breaks than in the log', () => {
  const text = layer.annotations[CERTIFICATE]?.replaceAll('\n', '\r\n') ?? '';
  expect(readCosignLayer(having(CERTIFICATE, text), DIGEST)).toEqual(readCosignLayer(layer, DIGEST));
});

const KEY_ALONE = 'it has no certificate or no entry in a log, so it names no signer';
const NO_ENTRY = 'its certificate or its entry in a log is malformed';

describe('a layer is no signature', () => {
  test.each<
    [what: string, made: () => { readonly annotations: unknown; readonly payload: Buffer }, reason: string]
  >([
    [
      'of another image',
      () => ({ ...layer, payload: cosignPayload('sha256:0123456789abcdef', NAME) }),
      'it signs another image, sha256:0123456789ab…',
    ],
    [
      'of something else than an image',
      () => ({ ...layer, payload: cosignPayload(DIGEST, NAME, 'a blob') }),
      'its payload is not for an image',
    ],
    [
      'with a payload that is no JSON',
      () => ({ ...layer, payload: Buffer.from('{') }),
      'its payload is not for an image',
    ],
    ['without annotations', () => ({ ...layer, annotations: undefined }), KEY_ALONE],
    ['without a signature', () => having(SIGNATURE), KEY_ALONE],
    ['with an empty signature', () => having(SIGNATURE, ''), KEY_ALONE],
    ['without a certificate', () => having(CERTIFICATE), KEY_ALONE],
    ['without an entry in a log', () => having(BUNDLE), KEY_ALONE],
    ['with a certificate that does not begin', () => having(CERTIFICATE, 'MAoC'), NO_ENTRY],
    [
      'with a certificate that ends before it begins',
      () => having(CERTIFICATE, '-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----'),
      NO_ENTRY,
    ],
    ['with an entry that is no JSON', () => having(BUNDLE, '{'), NO_ENTRY],
    ['with an entry before 1970', () => logged((entry) => ({ ...entry, integratedTime: -1 })), NO_ENTRY],
    ['with an entry of no log', () => logged((entry) => ({ ...entry, logID: 'abc' })), NO_ENTRY],
    [
      'with an entry that says nothing',
      () => logged((entry) => ({ ...entry, body: 'e30=' })),
      'its entry in a log is malformed',
    ],
  ])('%s', (_what, made, reason) => {
    expect(readCosignLayer(made(), DIGEST)).toEqual({ kind: 'unfit', reason });
  });
});
