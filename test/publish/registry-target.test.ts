import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { milliseconds } from '../../src/lib/duration.ts';
import { packageTag } from '../../src/publish/registry/package-tag.ts';
import { RegistryTarget } from '../../src/publish/registry/registry-target.ts';
import { explicitCredential } from '../../src/registry/auth/credentials.ts';
import { ADAPTIVE_LIMITS } from '../../src/registry/host-limits.ts';
import { type Host, parseReference } from '../../src/registry/oci/reference.ts';
import { Registries } from '../../src/registry/registries.ts';
import { DockerRegistry } from '../support/docker-registry.ts';
import { bytesContent } from '../support/registry/content.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { copyFolder, copyToFolder } from '../support/skopeo.ts';
import { LOGIN } from '../support/token-server.ts';
import { CuttingProxy } from './cutting-proxy.ts';
import { Listener } from './listener.ts';
import { PackageFixture } from './package-fixture.ts';

const NAME = 'kube-1.36.2-amd64.tar.gz';
const BETA = 'kube-1.36.2-arm64-beta.tar.gz';
const USERS = { [LOGIN.username]: LOGIN.password };
const calm = new AbortController().signal;

function targetFor(
  registry: { readonly host: Host },
  more: Partial<ConstructorParameters<typeof RegistryTarget>[0]> & {
    password?: string;
    attempts?: number;
  } = {},
) {
  const { password = LOGIN.password, attempts = 2, ...settings } = more;
  const registries = new Registries({
    credentials: explicitCredential(registry.host, LOGIN.username, password),
    retry: { attempts, interval: milliseconds(1) },
    limits: ADAPTIVE_LIMITS,
    insecure: [],
    signal: calm,
    onSecret: () => undefined,
  });
  const reporter = new Listener();
  const repository = parseReference(`${registry.host}/me/keel-pkg`);
  const common = {
    registries,
    repository,
    form: 'image',
    base: undefined,
    overwrite: false,
    reporter,
    label: (flag: string) => `--${flag}`,
  } as const;
  return { target: new RegistryTarget({ ...common, ...settings }), reporter };
}

async function publish(target: RegistryTarget, fixture: PackageFixture) {
  const progress: number[] = [];
  const location = await target.publish(fixture.file, calm, (bytes) => progress.push(bytes));
  return { location, progress };
}

/** What skopeo, an other program than ours, makes of an image: its files, its configuration and its manifest. */
async function fetchImage(registry: DockerRegistry, tag: string) {
  const folder = scratchFolder();
  await copyToFolder({ reference: `${registry.host}/me/keel-pkg:${tag}`, login: LOGIN }, folder);
  const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
  const blob = (digest: string) => readFile(join(folder, digest.slice('sha256:'.length)));
  const layers: Buffer[] = [];
  for (const layer of manifest.layers) layers.push(await blob(layer.digest));
  return { manifest, layers, config: JSON.parse(String(await blob(manifest.config.digest))) };
}

function listTar(layer: Buffer): string[] {
  return execFileSync('tar', ['-t'], { input: layer, encoding: 'utf8' }).trim().split('\n');
}

function extract(layer: Buffer, name: string): Buffer {
  return execFileSync('tar', ['-xO', name], { input: layer, maxBuffer: 1 << 30 });
}

/** Pushes a small image by skopeo, to stand for busybox. */
async function pushBase(registry: DockerRegistry): Promise<void> {
  const archive = pack();
  archive.entry({ name: 'bin/cp' }, 'a program');
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  const tar = Buffer.concat(chunks);
  const layer = gzipSync(tar);
  const sha = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: { Env: ['PATH=/bin'], Cmd: ['sh'] },
      rootfs: { type: 'layers', diff_ids: [`sha256:${sha(tar)}`] },
      history: [{ created_by: 'base' }],
    }),
  );
  const type = 'application/vnd.docker.distribution.manifest.v2+json';
  const layers = [
    {
      mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
      digest: `sha256:${sha(layer)}`,
      size: layer.length,
    },
  ];
  const configType = 'application/vnd.docker.container.image.v1+json';
  const own = { mediaType: configType, digest: `sha256:${sha(config)}`, size: config.length };
  const folder = scratchFolder();
  await writeFile(join(folder, 'version'), 'Directory Transport Version: 1.1\n');
  await writeFile(join(folder, sha(layer)), layer);
  await writeFile(join(folder, sha(config)), config);
  const manifest = { schemaVersion: 2, mediaType: type, config: own, layers };
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  await copyFolder(folder, { reference: `${registry.host}/library/busybox:stable`, login: LOGIN });
}

describe('publishing to a registry', () => {
  it('makes an image with the package at its root, to copy it from', async () => {
    await using registry = await DockerRegistry.start('token');
    await using fixture = await PackageFixture.write(NAME, 3_000_001);
    const { target } = targetFor(registry);
    await target.prove(calm);
    const { location, progress } = await publish(target, fixture);
    const address = `${registry.host}/me/keel-pkg:1.36.2-amd64`;
    expect(location).toMatchObject({ target: 'dockerhub', outcome: 'published', address });
    expect(location.instruction).toContain(`docker create ${address}`);
    expect(progress.at(-1)).toBe(fixture.file.size);
    const { layers, config, manifest } = await fetchImage(registry, '1.36.2-amd64');
    expect(layers.map(listTar)).toEqual([[NAME]]);
    expect(extract(layers[0] ?? Buffer.alloc(0), NAME).equals(fixture.content)).toBe(true);
    expect(config).toMatchObject({ architecture: 'amd64', os: 'linux' });
    expect(config.rootfs.diff_ids).toEqual([manifest.layers[0].digest]);
    expect(manifest.layers[0].annotations).toEqual({ 'org.opencontainers.image.title': NAME });
  });

  it('puts it on a base, so that running the image copies the package out', async () => {
    await using registry = await DockerRegistry.start('token');
    await using fixture = await PackageFixture.write(NAME, 100_000);
    await pushBase(registry);
    const base = parseReference(`${registry.host}/library/busybox:stable`);
    const { location } = await publish(targetFor(registry, { base }).target, fixture);
    expect(location.instruction).toBe(`docker run --rm -v "$PWD:/out" ${location.address}`);
    const { layers, config } = await fetchImage(registry, '1.36.2-amd64');
    expect(config.config).toMatchObject({ Cmd: ['cp', `/${NAME}`, '/out/'], Env: ['PATH=/bin'] });
    expect(config.rootfs.diff_ids).toHaveLength(2);
    expect(config.history).toHaveLength(2);
    expect(layers).toHaveLength(2);
    expect(listTar(layers[1] ?? Buffer.alloc(0))).toEqual([NAME]);
  });

  it('says of an image that is there that its base was not compared', async () => {
    await using registry = await DockerRegistry.start('token');
    await using fixture = await PackageFixture.write(NAME, 100_000);
    await pushBase(registry);
    const base = parseReference(`${registry.host}/library/busybox:stable`);
    await publish(targetFor(registry, { base }).target, fixture);
    const { location } = await publish(targetFor(registry, { base }).target, fixture);
    expect(location).toMatchObject({
      outcome: 'present',
      uncompared: 'the package in the image was compared, but not the base image',
    });
  });

  it('does not take an artifact that brings another file besides the package for the package', async () => {
    await using registry = await startRegistry({ access: { mode: 'bearer', users: USERS } });
    await using fixture = await PackageFixture.write(NAME, 1000);
    await publish(targetFor(registry, { form: 'artifact' }).target, fixture);
    const { storage } = registry;
    const stored = storage.manifest('me/keel-pkg', '1.36.2-amd64');
    const body = JSON.parse(String(stored?.bytes));
    const evil = Buffer.from('another file');
    const digest = storage.putBlob('me/keel-pkg', bytesContent(evil));
    const { mediaType } = body.layers[0];
    body.layers.unshift({ mediaType, digest, size: evil.length });
    const bytes = Buffer.from(JSON.stringify(body));
    storage.putManifest('me/keel-pkg', bytes, String(stored?.mediaType), ['1.36.2-amd64']);
    const again = publish(targetFor(registry, { form: 'artifact' }).target, fixture);
    await expect(again).rejects.toMatchObject({
      code: 'ALREADY_PUBLISHED',
      hint: expect.stringContaining('packer does not overwrite published packages'),
    });
  });

  it('does without a base that cannot be had, and says so', async () => {
    await using registry = await DockerRegistry.start('token');
    await using fixture = await PackageFixture.write(NAME, 100_000);
    const base = parseReference(`${registry.host}/library/absent:stable`);
    const { target, reporter } = targetFor(registry, { base });
    expect((await publish(target, fixture)).location.outcome).toBe('published');
    const reason = `${registry.host}/library/absent:stable: cannot get its manifest, the registry answered 404`;
    expect(reporter.warnings).toEqual([
      expect.stringContaining(
        'the package is complete, but its image cannot run and works with "docker cp" only',
      ),
    ]);
    expect(reporter.warnings[0]).toContain(` could not be fetched: ${reason}`);
    expect(reporter.warnings[0]).toMatch(/ \(--dockerhub-form artifact needs no base image\)$/);
  });

  it('makes an OCI artifact whose layer is the package', async () => {
    await using registry = await DockerRegistry.start('token');
    await using fixture = await PackageFixture.write(NAME, 100_000);
    const { location } = await publish(targetFor(registry, { form: 'artifact' }).target, fixture);
    expect(location.instruction).toBe(`oras pull ${location.address}`);
    const { layers, manifest } = await fetchImage(registry, '1.36.2-amd64');
    expect(manifest).toMatchObject({
      artifactType: 'application/vnd.keel.package.v1',
      config: { mediaType: 'application/vnd.oci.empty.v1+json', size: 2 },
      layers: [{ digest: fixture.file.sha256, annotations: { 'org.opencontainers.image.title': NAME } }],
    });
    expect(layers[0]?.equals(fixture.content)).toBe(true);
  });

  it.each(['image', 'artifact'] as const)(
    'sends nothing when the tag holds this package (%s)',
    async (form) => {
      await using registry = await DockerRegistry.start('token');
      await using fixture = await PackageFixture.write(NAME, 100_000);
      await publish(targetFor(registry, { form }).target, fixture);
      const { location, progress } = await publish(targetFor(registry, { form }).target, fixture);
      expect(location.outcome).toBe('present');
      expect(progress).toEqual([]);
    },
  );

  it.each([
    {
      there: 'artifact',
      form: 'image',
      message: `this tag has ${NAME} as an artifact, and would get it as an image`,
    },
    {
      there: 'image',
      form: 'artifact',
      message: `this tag has ${NAME} as an image, and would get it as an artifact`,
    },
  ] as const)(
    'names the form of a tag that has this package as an $there',
    async ({ there, form, message }) => {
      await using registry = await DockerRegistry.start('token');
      await using fixture = await PackageFixture.write(NAME, 1000);
      await publish(targetFor(registry, { form: there }).target, fixture);
      const repeated = publish(targetFor(registry, { form }).target, fixture);
      await expect(repeated).rejects.toMatchObject({
        code: 'ALREADY_PUBLISHED',
        message,
        hint: `it is complete there; to replace it use --overwrite, to keep it use --dockerhub-form ${there}`,
      });
    },
  );

  it.each([
    { name: BETA, overwrite: false, replaced: true },
    { name: NAME, overwrite: true, replaced: true },
    { name: NAME, overwrite: false, replaced: false },
  ])('with other content under $name and overwrite $overwrite, replaces it: $replaced', async (row) => {
    await using registry = await DockerRegistry.start('token');
    await using first = await PackageFixture.write(row.name, 1000);
    await using second = await PackageFixture.write(row.name, 2000);
    await publish(targetFor(registry).target, first);
    const repeated = publish(targetFor(registry, { overwrite: row.overwrite }).target, second);
    if (row.replaced) await repeated;
    else await expect(repeated).rejects.toMatchObject({ code: 'ALREADY_PUBLISHED' });
    const { layers } = await fetchImage(registry, packageTag(row.name));
    const expected = row.replaced ? second : first;
    expect(extract(layers[0] ?? Buffer.alloc(0), row.name).equals(expected.content)).toBe(true);
  });

  it('gets there when the connection is cut in the middle of the package', async () => {
    await using registry = await DockerRegistry.start('token');
    await using proxy = await CuttingProxy.start(registry.host, { bytes: 2_000_000, times: 2 });
    await using fixture = await PackageFixture.write(NAME, 5_000_000);
    const { location } = await publish(targetFor(proxy, { attempts: 3 }).target, fixture);
    expect(location.outcome).toBe('published');
    expect(proxy.cuts).toBe(2);
    const { layers } = await fetchImage(registry, '1.36.2-amd64');
    expect(extract(layers[0] ?? Buffer.alloc(0), NAME).equals(fixture.content)).toBe(true);
  });

  it('tells wrong credentials before anything is sent', async () => {
    await using registry = await DockerRegistry.start('token');
    const { target } = targetFor(registry, { password: 'wrong' });
    await expect(target.prove(calm)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });
});
