import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { hasDigest, isForeignLayer, parseManifest } from '../../src/registry/oci/manifest.ts';
import { MEDIA_TYPE } from '../../src/registry/oci/media-type.ts';

const DIGEST = digestOf(Buffer.from('x'));
const LAYER = { mediaType: 'l', digest: DIGEST, size: 1 };
const IMAGE = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociManifest, config: LAYER, layers: [LAYER] };

function parse(body: unknown, contentType?: string) {
  return parseManifest(Buffer.from(JSON.stringify(body)), contentType, 'a.example/app:1');
}

describe('a manifest', () => {
  it.each(Object.values(MEDIA_TYPE))('of type %s is read, and hashed as it came', (mediaType) => {
    const isIndex = mediaType === MEDIA_TYPE.ociIndex || mediaType === MEDIA_TYPE.dockerList;
    const body = isIndex ? { schemaVersion: 2, mediaType, manifests: [LAYER] } : { ...IMAGE, mediaType };
    const bytes = Buffer.from(`${JSON.stringify(body, undefined, 3)}\n`);
    const manifest = parseManifest(bytes, 'text/html', 'a');
    expect(manifest).toMatchObject({ mediaType, digest: digestOf(bytes), bytes });
    expect(manifest.kind).toBe(isIndex ? 'index' : 'image');
  });

  it('takes its type from the header where the body has none', () => {
    const { mediaType: _, ...untyped } = IMAGE;
    expect(parse(untyped, `${MEDIA_TYPE.ociManifest}; charset=utf-8`).mediaType).toBe(MEDIA_TYPE.ociManifest);
    expect(parse(untyped, MEDIA_TYPE.ociManifest.toUpperCase()).mediaType).toBe(MEDIA_TYPE.ociManifest);
    expect(() => parse(untyped)).toThrow(expect.objectContaining({ code: 'MANIFEST_UNUSABLE' }));
  });

  it('has all its layers, also those with addresses elsewhere', () => {
    const elsewhere = { ...LAYER, size: 2, urls: ['https://a.example/layer'] };
    const manifest = parse({ ...IMAGE, layers: [elsewhere, { ...LAYER, urls: 5 }] });
    expect(manifest.kind === 'image' && manifest.layers.map(({ size }) => size)).toEqual([2, 1]);
  });

  it('bears platforms and annotations that make no sense', () => {
    const manifests = [
      { ...LAYER, platform: { os: 'linux', architecture: 'arm', variant: 'v7', 'os.version': '1' } },
      { ...LAYER, platform: { os: 5 }, annotations: { a: 1 } },
      { ...LAYER, platform: null },
    ];
    const index = parse({ schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests });
    expect(index.kind === 'index' && index.manifests.map(({ platform }) => platform)).toEqual([
      { os: 'linux', architecture: 'arm', variant: 'v7', osVersion: '1' },
      undefined,
      undefined,
    ]);
  });

  it.each([
    ['no JSON', 'not JSON'],
    ['null', 'which cannot be copied'],
    ['[]', 'which cannot be copied'],
    ['{"schemaVersion":1}', 'schema 1'],
    [JSON.stringify({ ...IMAGE, mediaType: 'text/html' }), '"text/html"'],
    [JSON.stringify({ ...IMAGE, config: { ...LAYER, digest: 'sha256:x' } }), 'the manifest is malformed'],
    [
      JSON.stringify({ ...IMAGE, config: { ...LAYER, digest: `${DIGEST}/../x` } }),
      'the manifest is malformed',
    ],
    [JSON.stringify({ ...IMAGE, config: { ...LAYER, size: -1 } }), 'the manifest is malformed'],
    [JSON.stringify({ ...IMAGE, config: { ...LAYER, size: 1e20 } }), 'the manifest is malformed'],
    [JSON.stringify({ ...IMAGE, mediaType: MEDIA_TYPE.ociIndex }), 'the index is malformed'],
  ])('is refused as %s', (text, message) => {
    expect(() => parseManifest(Buffer.from(text), MEDIA_TYPE.ociManifest, 'a.example/app:1')).toThrow(
      expect.objectContaining({
        code: 'MANIFEST_UNUSABLE',
        about: 'a.example/app:1',
        message: expect.stringContaining(message),
      }),
    );
  });

  it('is hashed with the algorithm that it was asked for by', () => {
    const bytes = Buffer.from(JSON.stringify(IMAGE));
    expect(parseManifest(bytes, undefined, 'a', 'sha512').digest).toBe(digestOf(bytes, 'sha512'));
  });
});

describe('the type of a layer decides whether it may be left out, not an optional field', () => {
  const urls = ['https://a.example/layer'];
  it.each([
    ['application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', urls, true],
    ['application/vnd.oci.image.layer.nondistributable.v1.tar', urls, true],
    ['application/vnd.oci.image.layer.nondistributable.v1.tar+zstd', urls, true],
    ['application/vnd.oci.image.layer.v1.tar+gzip', urls, false],
    ['application/vnd.docker.image.rootfs.diff.tar.gzip', urls, false],
    ['application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', [], false],
    ['application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', undefined, false],
  ])('%s at %j: %s', (mediaType, addresses, isForeign) => {
    expect(isForeignLayer({ mediaType, urls: addresses })).toBe(isForeign);
  });
});

it('has its digest in either algorithm, and no other', () => {
  const bytes = Buffer.from('{}');
  const manifest = { bytes, digest: digestOf(bytes) };
  expect(hasDigest(manifest, digestOf(bytes))).toBe(true);
  expect(hasDigest(manifest, digestOf(bytes, 'sha512'))).toBe(true);
  expect(hasDigest({ bytes, digest: digestOf(bytes, 'sha512') }, digestOf(bytes))).toBe(true);
  expect(hasDigest(manifest, digestOf(Buffer.from('[]')))).toBe(false);
  expect(hasDigest(manifest, digestOf(Buffer.from('[]'), 'sha512'))).toBe(false);
});

it.each([
  [{ schemaVersion: 1, name: 'app' }, "it is an image of Docker's schema 1, from before 2016, which cannot"],
  [
    { mediaType: 'application/vnd.oci.artifact.manifest.v1+json', blobs: [] },
    'it is a manifest of the type "application/vnd.oci.artifact.manifest.v1+json", which cannot',
  ],
  [{ repositories: [] }, 'it is content of an unknown kind, which cannot'],
  [[], 'it is content of an unknown kind, which cannot'],
])('of another kind is told as what it is: %j', (body, message) => {
  expect(() => parse(body)).toThrow(
    expect.objectContaining({ code: 'MANIFEST_UNUSABLE', message: expect.stringContaining(message) }),
  );
});
