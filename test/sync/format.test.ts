import { describe, expect, test } from 'vitest';
import type { Manifest } from '../../src/registry/oci/manifest.ts';
import { MEDIA_TYPE } from '../../src/registry/oci/media-type.ts';
import { conversionFor, formatOf, formImage, type RefusedFormat } from '../../src/sync/copy/format.ts';
import { attestationOf, sampleImage, sampleIndex } from '../support/sample-manifest.ts';

const DOCKER = MEDIA_TYPE.dockerManifest;
const IMAGE = sampleImage();
const DOCKER_IMAGE = sampleImage({
  mediaType: DOCKER,
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
});
const SIGNATURE = sampleImage({ config: 'application/vnd.oci.empty.v1+json' });
const AMD64 = { word: 'amd64', platform: 'linux/amd64' };
const PLAIN = sampleIndex([AMD64]);
const ATTESTED = sampleIndex([AMD64, attestationOf('amd64')]);
const OF_DOCKER = sampleIndex([{ ...AMD64, mediaType: DOCKER }]);
const DOCKER_LIST = sampleIndex([{ ...AMD64, mediaType: DOCKER }], MEDIA_TYPE.dockerList);
const MIXED_LIST = sampleIndex([AMD64], MEDIA_TYPE.dockerList);
const ONLY_ATTESTED = sampleIndex([attestationOf('amd64')]);

test.each<[RefusedFormat, Manifest]>([
  ['oci-index', PLAIN],
  ['oci-image', IMAGE],
  ['docker-image', DOCKER_IMAGE],
  ['docker-list', DOCKER_LIST],
])('the kind of a refused manifest: %s', (format, manifest) => {
  expect(formatOf(manifest)).toBe(format);
});

describe('the conversion that gets past a destination', () => {
  test.each<[string, Manifest, RefusedFormat[], ReturnType<typeof conversionFor>]>([
    ['a single image', IMAGE, ['oci-image'], 'docker-format'],
    ['a single image', IMAGE, ['oci-index', 'attestation'], undefined],
    ['an image of Docker', DOCKER_IMAGE, ['oci-image'], undefined],
    ['a signature', SIGNATURE, ['oci-image'], undefined],
    ['an index', PLAIN, [], undefined],
    ['an index', PLAIN, ['oci-index'], 'docker-format'],
    ['an index', PLAIN, ['oci-image'], 'docker-format'],
    ['an index', PLAIN, ['attestation'], undefined],
    ['an index', PLAIN, ['docker-list', 'docker-image'], undefined],
    ['an index with attestations', ATTESTED, ['attestation'], 'without-attestations'],
    ['an index with attestations', ATTESTED, ['attestation', 'oci-index'], 'docker-format'],
    ['an OCI index of Docker images', OF_DOCKER, ['oci-image'], undefined],
    ['an OCI index of Docker images', OF_DOCKER, ['oci-index'], 'docker-format'],
    ['a list of Docker', DOCKER_LIST, ['oci-index', 'oci-image'], undefined],
    ['a list of Docker with OCI images', MIXED_LIST, ['oci-image'], 'docker-format'],
    ['an image of Docker', DOCKER_IMAGE, ['docker-image'], 'oci-format'],
    ['an image of Docker', DOCKER_IMAGE, ['docker-list'], undefined],
    ['a list of Docker', DOCKER_LIST, ['docker-list'], 'oci-format'],
    ['a list of Docker', DOCKER_LIST, ['docker-image'], 'oci-format'],
    ['a list of Docker with OCI images', MIXED_LIST, ['docker-list'], 'oci-format'],
    ['an OCI index of Docker images', OF_DOCKER, ['docker-image'], 'oci-format'],
    // Where both families are refused, it is something else.
    ['an image of Docker', DOCKER_IMAGE, ['docker-image', 'oci-image'], undefined],
    ['a single image', IMAGE, ['oci-image', 'docker-image'], undefined],
    ['an OCI index of Docker images', OF_DOCKER, ['oci-index', 'docker-image'], undefined],
  ])('that does not take it as it is: %s, refused %j: %s', (_, manifest, refused, conversion) => {
    expect(conversionFor(manifest, new Set(refused))).toBe(conversion);
  });
});

describe('the form in which an image is pushed', () => {
  const form = (manifest: Manifest, conversion: ReturnType<typeof conversionFor>) =>
    formImage(manifest, conversion, async () => IMAGE, 'e.org/a:v1');

  test('is that of the source where nothing is refused', async () => {
    expect(await form(ATTESTED, undefined)).toEqual({
      manifest: ATTESTED,
      parts: new Map(),
      conversion: undefined,
    });
  });

  test('without attestations has the same images', async () => {
    const { manifest, parts, conversion } = await form(ATTESTED, 'without-attestations');
    expect(manifest.kind === 'index' ? manifest.manifests : []).toEqual(PLAIN.manifests);
    expect([parts.size, conversion]).toEqual([0, 'without-attestations']);
  });

  test('keeps attestations where there is nothing else', async () => {
    expect(await form(ONLY_ATTESTED, 'without-attestations')).toMatchObject({
      manifest: ONLY_ATTESTED,
      conversion: undefined,
    });
  });

  test('of a single image has the same blobs under the names of Docker', async () => {
    const { manifest, conversion } = await form(IMAGE, 'docker-format');
    expect(manifest).toMatchObject({ kind: 'image', mediaType: DOCKER });
    const digests = (one: Manifest) =>
      (one.kind === 'image' ? [one.config, ...one.layers] : []).map((each) => each.digest);
    expect(digests(manifest)).toEqual(digests(IMAGE));
    expect(conversion).toBe('docker-format');
  });

  test('of an index is a list of what its parts become, without attestations', async () => {
    const { manifest, parts } = await form(ATTESTED, 'docker-format');
    expect(manifest).toMatchObject({ kind: 'index', mediaType: MEDIA_TYPE.dockerList });
    const [part] = parts.values();
    expect(part?.mediaType).toBe(DOCKER);
    expect(manifest.kind === 'index' ? manifest.manifests : []).toEqual([
      {
        mediaType: DOCKER,
        digest: part?.digest,
        size: part?.bytes.length,
        platform: PLAIN.manifests[0]?.platform,
        annotations: undefined,
      },
    ]);
  });

  test('of an image of Docker has the same blobs under the names of OCI', async () => {
    const { manifest, conversion } = await form(DOCKER_IMAGE, 'oci-format');
    expect(JSON.parse(manifest.bytes.toString('utf8'))).toEqual(JSON.parse(IMAGE.bytes.toString('utf8')));
    expect(conversion).toBe('oci-format');
  });

  test('of a list of Docker is an index, with annotations, and attestations that name the image as it is there', async () => {
    const attested = sampleIndex(
      [{ ...AMD64, mediaType: DOCKER, annotations: { a: 'b' } }, attestationOf('amd64')],
      MEDIA_TYPE.dockerList,
      { annotations: { c: 'd' } },
    );
    const [image, attestation] = attested.manifests;
    const formed = await formImage(
      attested,
      'oci-format',
      async (digest) => (digest === image?.digest ? DOCKER_IMAGE : IMAGE),
      'e.org/a:v1',
    );
    const { manifest, parts, conversion } = formed;
    const [converted, kept] = parts.keys();
    expect(JSON.parse(manifest.bytes.toString('utf8'))).toMatchObject({
      mediaType: MEDIA_TYPE.ociIndex,
      annotations: { c: 'd' },
      manifests: [
        { mediaType: MEDIA_TYPE.ociManifest, annotations: { a: 'b' }, platform: image?.platform },
        {
          annotations: { ...attestation?.annotations, 'vnd.docker.reference.digest': converted },
          platform: attestation?.platform,
        },
      ],
    });
    expect([kept, conversion]).toEqual([IMAGE.digest, 'oci-format']);
    expect(converted).not.toBe(image?.digest);
  });

  test.each([
    ['application/vnd.docker.image.rootfs.diff.tar', 'application/vnd.oci.image.layer.v1.tar'],
    ['application/vnd.docker.image.rootfs.diff.tar.gzip', 'application/vnd.oci.image.layer.v1.tar+gzip'],
    [
      'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
      'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
    ],
  ])('maps a layer of the type %s to %s, and back', async (docker, oci) => {
    const layerOf = ({ manifest }: { manifest: Manifest }) =>
      manifest.kind === 'image' ? manifest.layers[0]?.mediaType : undefined;
    const config = 'application/vnd.docker.container.image.v1+json';
    const image = sampleImage({ mediaType: DOCKER, config, layer: docker });
    expect(layerOf(await form(image, 'oci-format'))).toBe(oci);
    expect(layerOf(await form(sampleImage({ layer: oci }), 'docker-format'))).toBe(docker);
  });

  test('that OCI alone takes cannot be had of what is no image', async () => {
    const plugin = sampleImage({ mediaType: DOCKER, config: 'application/vnd.docker.plugin.v1+json' });
    await expect(form(plugin, 'oci-format')).rejects.toMatchObject({
      code: 'FORMAT_UNCONVERTIBLE',
      message: expect.stringContaining(
        'refuses it as a Docker image, and keel-pkg cannot convert it to an OCI image',
      ),
    });
  });

  test.each<[string, Manifest, Manifest]>([
    [
      'which that format does not support',
      IMAGE,
      sampleImage({ layer: 'application/vnd.oci.image.layer.v1.tar+zstd' }),
    ],
    [
      'which is not a layer of an image',
      IMAGE,
      sampleImage({ layer: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip' }),
    ],
    ['lists an image without a platform', sampleIndex([{ word: 'amd64' }]), IMAGE],
    ['lists something other than images', PLAIN, DOCKER_LIST],
  ])('cannot be made of what %s', async (words, manifest, part) => {
    const whole = manifest.kind === 'image' ? part : manifest;
    const forming = formImage(whole, 'docker-format', async () => part, 'e.org/a:v1');
    await expect(forming).rejects.toMatchObject({
      code: 'FORMAT_UNCONVERTIBLE',
      message: expect.stringContaining(words),
    });
  });
});
