import { expect, it } from 'vitest';
import type { PackageContents, PackedImage } from '../../src/pack/contents/package-contents.ts';
import { formatSbom } from '../../src/pack/contents/sbom.ts';
import { digestHex, digestOf } from '../../src/registry/oci/digest.ts';
import { parseHost } from '../../src/registry/oci/reference.ts';

const DIGEST = digestOf(Buffer.from('content'));
const CREATED = new Date('2026-02-03T04:05:06.789Z');
const UPSTREAM = { kind: 'upstream', registry: parseHost('registry.k8s.io') } as const;
const MIRROR_ONLY = { kind: 'mirror-only', reason: 'registry.k8s.io cannot be reached' } as const;
const SIGNATURE = { kind: 'verified', identity: 'robot@e.org', issuer: 'https://e.org' } as const;
const CONTENTS: PackageContents = {
  package: 'kube-1.37.1-amd64.tar.gz',
  kubernetes: '1.37.1',
  arch: 'amd64',
  images: [
    {
      name: 'coredns/coredns',
      upstream: 'registry.k8s.io/coredns/coredns:v1.14.6',
      pulledBy: 'mirror.lan/coredns:v1.14.6',
      digest: DIGEST,
      config: DIGEST,
      layers: [DIGEST],
      size: 100,
      check: { kind: 'pin' },
    },
  ],
  components: [
    {
      name: 'cni_plugins',
      tag: '1.9.1',
      url: 'https://e.org/cni.tgz',
      sha256: DIGEST,
      size: 100,
      check: { kind: 'pin', digest: DIGEST },
      files: [],
    },
  ],
  addons: [],
  files: [],
};

it('has each part with its digest, a locator and a relation to the package', () => {
  const sbom = JSON.parse(formatSbom(CONTENTS, CREATED));
  const [whole, image, component] = sbom.packages;
  expect(sbom.packages).toHaveLength(3);
  expect(whole).toMatchObject({
    SPDXID: 'SPDXRef-package',
    name: 'kube-1.37.1-amd64',
    versionInfo: '1.37.1',
  });
  expect(image).toMatchObject({
    SPDXID: 'SPDXRef-image-coredns-coredns-v1.14.6',
    name: 'registry.k8s.io/coredns/coredns',
    versionInfo: 'v1.14.6',
    checksums: [{ algorithm: 'SHA256', checksumValue: digestHex(DIGEST) }],
  });
  expect(image.externalRefs[0].referenceLocator).toBe(
    `pkg:oci/coredns@${encodeURIComponent(DIGEST)}?arch=amd64&repository_url=registry.k8s.io%2Fcoredns%2Fcoredns&tag=v1.14.6`,
  );
  expect(component).toMatchObject({
    SPDXID: 'SPDXRef-component-cni-plugins',
    downloadLocation: 'https://e.org/cni.tgz',
  });
  expect(component.externalRefs[0].referenceLocator).toBe(
    `pkg:generic/cni_plugins@1.9.1?checksum=${encodeURIComponent(DIGEST)}&download_url=https%3A%2F%2Fe.org%2Fcni.tgz`,
  );
  expect(
    sbom.relationships.map(({ relatedSpdxElement }: { relatedSpdxElement: string }) => relatedSpdxElement),
  ).toEqual([whole.SPDXID, image.SPDXID, component.SPDXID]);
});

it('has the time that it is given, in whole seconds', () => {
  expect(JSON.parse(formatSbom(CONTENTS, CREATED)).creationInfo.created).toBe('2026-02-03T04:05:06Z');
});

it('is the same for the same content, and has another namespace for any other', () => {
  const other = { ...CONTENTS, kubernetes: '1.37.2' };
  expect(formatSbom(CONTENTS, CREATED)).toBe(formatSbom(structuredClone(CONTENTS), CREATED));
  const [one, two] = [CONTENTS, other].map(
    (contents) => JSON.parse(formatSbom(contents, CREATED)).documentNamespace,
  );
  expect(one).toMatch(/\/kube-1\.37\.1-amd64-[0-9a-f]{32}$/);
  expect(one).not.toBe(two);
});

it.each<[string, Partial<PackedImage>, string]>([
  ['pinned', { check: { kind: 'pin' } }, 'registry.k8s.io/coredns/coredns'],
  ['as its maker has it', { check: UPSTREAM }, 'registry.k8s.io/coredns/coredns'],
  ['of a signer', { check: MIRROR_ONLY, signature: SIGNATURE }, 'registry.k8s.io/coredns/coredns'],
  [
    "with its maker's layers under another digest",
    { check: { ...UPSTREAM, compared: 'layers' } },
    'mirror.lan/coredns',
  ],
  ['of which only the mirror knows', { check: MIRROR_ONLY }, 'mirror.lan/coredns'],
])("names the maker's repository only for a digest that somebody vouches for: %s", (_, given, repository) => {
  const images = CONTENTS.images.map((image) => ({ ...image, ...given }));
  const [, image] = JSON.parse(formatSbom({ ...CONTENTS, images }, CREATED)).packages;
  const { referenceLocator } = image.externalRefs[0];
  expect(new URL(referenceLocator).searchParams.get('repository_url')).toBe(repository);
  expect(image.sourceInfo).toMatch(/^pulled as mirror\.lan\/coredns:v1\.14\.6; /);
});

it('names the repository of an architecture at its maker, where the digest was found', () => {
  const pulledBy = 'registry.k8s.io/coredns/coredns-amd64:v1.14.6';
  const images = CONTENTS.images.map((image) => ({ ...image, pulledBy, check: UPSTREAM }));
  const [, image] = JSON.parse(formatSbom({ ...CONTENTS, images }, CREATED)).packages;
  const { searchParams } = new URL(image.externalRefs[0].referenceLocator);
  expect(searchParams.get('repository_url')).toBe('registry.k8s.io/coredns/coredns-amd64');
});

it('gives each part an identifier of its own, also where names differ only in what SPDX does not allow', () => {
  const images = ['a/app', 'a-app', 'a_app'].flatMap((name) =>
    CONTENTS.images.map((image) => ({ ...image, name })),
  );
  const { packages } = JSON.parse(formatSbom({ ...CONTENTS, images }, CREATED));
  const ids: string[] = packages.map(({ SPDXID }: { SPDXID: string }) => SPDXID);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toContain('SPDXRef-image-a-app-v1.14.6-3');
});
