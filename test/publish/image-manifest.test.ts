import { expect, it } from 'vitest';
import { artifactDocuments, imageDocuments } from '../../src/publish/registry/image-manifest.ts';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { PackageFixture } from './package-fixture.ts';

const NAME = 'kube-1.36.2-amd64.tar.gz';
const DOCKER_GZIP = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
const OCI_GZIP = 'application/vnd.oci.image.layer.v1.tar+gzip';

async function documentsOf(make: (fixture: PackageFixture) => ReturnType<typeof artifactDocuments>) {
  await using fixture = await PackageFixture.write(NAME, 10);
  const { config, manifest } = make(fixture);
  expect(config.digest).toBe(digestOf(config.bytes));
  expect(manifest.digest).toBe(digestOf(manifest.bytes));
  return { config: JSON.parse(String(config.bytes)), manifest: JSON.parse(String(manifest.bytes)) };
}

function layerOf({ file }: PackageFixture) {
  return { digest: file.sha256, size: file.size, source: { about: NAME, open: async () => never() } };
}

function never(): never {
  throw new Error('nothing is read');
}

it('an artifact is one layer, named after the package', async () => {
  const { config, manifest } = await documentsOf((fixture) =>
    artifactDocuments(fixture.file, layerOf(fixture)),
  );
  expect(config).toEqual({});
  expect(manifest.layers).toMatchObject([
    { size: 10, annotations: { 'org.opencontainers.image.title': NAME } },
  ]);
});

it('an image without a base can only be created', async () => {
  const { config, manifest } = await documentsOf((fixture) =>
    imageDocuments(fixture.file, layerOf(fixture), { architecture: 'arm64', base: undefined }),
  );
  expect(config).toMatchObject({ architecture: 'arm64', config: { Cmd: [`/${NAME}`] } });
  expect(config.config.Env).toBeUndefined();
  expect(manifest.layers).toHaveLength(1);
  expect(config.rootfs.diff_ids).toEqual([manifest.layers[0].digest]);
});

it('an image on a base has its layers below, of one family, and copies the package when it runs', async () => {
  const below = { mediaType: DOCKER_GZIP, digest: digestOf(Buffer.from('base')), size: 4 };
  const base = {
    layers: [below],
    config: { rootfs: { diff_ids: ['sha256:1'] }, history: [{ a: 1 }], config: { Env: ['PATH=/bin'] } },
  };
  const { config, manifest } = await documentsOf((fixture) =>
    imageDocuments(fixture.file, layerOf(fixture), { architecture: 'amd64', base }),
  );
  expect(config.config).toMatchObject({ Env: ['PATH=/bin'], Cmd: ['cp', `/${NAME}`, '/out/'] });
  expect(config.rootfs.diff_ids).toEqual(['sha256:1', manifest.layers[1].digest]);
  expect(config.history).toHaveLength(2);
  expect(manifest.layers[0]).toEqual({ ...below, mediaType: OCI_GZIP });
});
