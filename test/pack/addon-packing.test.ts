import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PackageContents } from '../../src/pack/contents/package-contents.ts';
import { digestHex, digestOf } from '../../src/registry/oci/digest.ts';
import { FileServer } from '../support/file-server.ts';
import { describeWith } from '../support/programs.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { LOOPBACK } from '../support/test-authority.ts';
import { PackWorld } from './pack-world.ts';

const MANIFEST = 'kubernetes/addons/net.yaml';

describeWith(['docker-registry'], 'a package with add-ons', () => {
  let world: PackWorld;
  let web: FileServer;
  /** A network of pods whose only image is pause, and always pulled. */
  let network: string;

  beforeAll(async () => {
    world = await PackWorld.start();
    web = await FileServer.start(LOOPBACK);
    network = [
      '{kind: ConfigMap, data: {net-conf.json: \'{"Network": "10.244.0.0/16"}\'}}',
      '---',
      'kind: DaemonSet',
      'spec:',
      '  template:',
      '    spec:',
      '      containers:',
      '      - name: net',
      `        image: ${world.maker.host}/pause:3.10.2`,
      '        imagePullPolicy: Always',
      '',
    ].join('\n');
    serve('/net.yaml', network);
  });
  afterAll(async () => {
    await web[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  function serve(path: string, text: string): void {
    web.put(path, text);
    web.put(`${path}.sha256`, digestHex(digestOf(Buffer.from(text))));
  }

  /** Returns a versions.json without images of its own. */
  function versions(addons: unknown): object {
    return { ...world.versions(), images: [], addons };
  }

  function net(more: object = {}): object {
    return { name: 'net', tag: '1', uri: `${web.origin}/net.yaml`, ...more };
  }

  async function pack(name: string, document: object, flags: Record<string, string> = {}) {
    const { result, reporter } = await world.pack(
      { 'version-config': world.write(document, `${name}.json`), ...flags },
      { name },
    );
    if (result.kind !== 'packed') return { folder: '', reporter, contents: undefined };
    const folder = scratchFolder();
    execFileSync('tar', ['-xzf', result.file.path, '-C', folder]);
    execFileSync('sha256sum', ['-c', '--quiet', '--strict', 'SHA256SUMS'], { cwd: folder });
    const contents: PackageContents = JSON.parse(readFileSync(join(folder, 'keel-package.json'), 'utf8'));
    return { folder, reporter, contents };
  }

  const read = (folder: string, path: string): string => readFileSync(join(folder, path), 'utf8');

  it('has the manifest, its images, and the list for install.sh; the original is told', async () => {
    const { folder, contents, reporter } = await pack('whole', versions([net()]));
    expect(read(folder, MANIFEST)).toBe(network.replace('Always', 'IfNotPresent'));
    expect(read(folder, 'install/addons')).toBe(`net\t${MANIFEST}\t10.244.0.0/16\n`);
    const pause = `${world.maker.host}/pause:3.10.2`;
    expect(read(folder, 'install/images')).toContain(`${pause}\t-\n`);
    const sha256 = digestOf(Buffer.from(network));
    expect(contents?.addons).toEqual([
      {
        name: 'net',
        tag: '1',
        url: `${web.origin}/net.yaml`,
        sha256,
        size: network.length,
        check: { kind: 'published', digest: sha256, source: `${web.origin}/net.yaml.sha256` },
        file: MANIFEST,
        podNetwork: '10.244.0.0/16',
        images: [pause],
        edits: [expect.stringContaining('Always to IfNotPresent')],
      },
    ]);
    expect(JSON.parse(read(folder, 'sbom.spdx.json')).packages).toContainEqual(
      expect.objectContaining({ name: 'net.yaml', downloadLocation: `${web.origin}/net.yaml` }),
    );
    expect(reporter.lines.join('\n')).toContain('1 image, 3 components and 1 add-on');
  });

  it('is packed the same from the versions.json within it, with a manifest of its own', async () => {
    writeFileSync(join(world.folder, 'own.yaml'), network);
    const addons = [net(), { name: 'own', manifest: 'own.yaml' }];
    const first = await pack('inner', versions(addons));
    expect(first.contents?.addons[1]).toMatchObject({ name: 'own', check: { kind: 'own' } });
    expect(first.contents?.images).toHaveLength(1);
    const written = read(first.folder, 'versions.json');
    mkdirSync(join(world.folder, 'kubernetes/addons'), { recursive: true });
    writeFileSync(
      join(world.folder, 'kubernetes/addons/own.yaml'),
      read(first.folder, 'kubernetes/addons/own.yaml'),
    );
    const again = await pack('outer', JSON.parse(written));
    for (const path of ['versions.json', 'install/addons', MANIFEST, 'kubernetes/addons/own.yaml']) {
      expect(read(again.folder, path), path).toBe(read(first.folder, path));
    }
  });

  it('a dry run fetches the manifest alone, tells what it brings, and a second one asks nobody', async () => {
    const pinned = versions([net({ sha256: digestHex(digestOf(Buffer.from(network))) })]);
    const { reporter } = await pack('dry', pinned, { 'dry-run': 'true' });
    const told = reporter.lines.join('\n');
    expect(told).toMatch(/^ {2}\S+\/pause:3\.10\.2 /m);
    expect(told).toMatch(/^1 add-on\n {2}net +1 +https:\S+net\.yaml +pinned +pods in 10\.244\.0\.0\/16$/m);
    expect(told).toMatch(/^ {4}edited: .*Always to IfNotPresent, /m);
    const asked = web.seen.length;
    await pack('dry', pinned, { 'dry-run': 'true' });
    expect(web.seen.length).toBe(asked);
  });

  it('a lock keeps the manifest, which is then taken from the folder of downloads', async () => {
    const lock = join(world.folder, 'addons.lock.json');
    await pack('locked', versions([net()]), { lock });
    const asked = web.seen.length;
    const { reporter } = await pack('locked', versions([net()]), { lock });
    expect(web.seen.length).toBe(asked);
    expect(reporter.lines.join('\n')).toContain(`the package matches the lock ${lock}`);
    serve('/net.yaml', `${network}# changed\n`);
    await expect(pack('elsewhere', versions([net()]), { lock })).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
    serve('/net.yaml', network);
    await expect(pack('locked', versions([net({ tag: '2' })]), { lock })).rejects.toMatchObject({
      code: 'LOCK_DIFFERS',
      message: expect.stringContaining('the add-on net was 1, but is now 2'),
    });
    await expect(pack('locked', versions([]), { lock })).rejects.toMatchObject({
      message: expect.stringContaining('the add-on net is no longer part of the package'),
    });
    const { addons: _, ...old } = JSON.parse(readFileSync(lock, 'utf8'));
    writeFileSync(lock, JSON.stringify(old));
    await expect(pack('locked', versions([net()]), { lock })).rejects.toMatchObject({
      message: expect.stringContaining('the add-on net is not in the lock'),
    });
  });

  it.each<[string, () => object, object]>([
    [
      'a manifest that is not what its maker published',
      () => {
        web.put('/other.yaml', network);
        web.put('/other.yaml.sha256', 'e'.repeat(64));
        return net({ uri: `${web.origin}/other.yaml` });
      },
      { code: 'DIGEST_MISMATCH' },
    ],
    [
      'one without a checksum',
      () => {
        web.put('/bare.yaml', network);
        return net({ uri: `${web.origin}/bare.yaml` });
      },
      { code: 'CHECKSUM_MISSING', hint: expect.stringContaining('"sha256": "none"') },
    ],
    [
      'one that is too large to be one',
      () => {
        serve('/large.yaml', '#'.repeat(5 * 1024 * 1024));
        return net({ uri: `${web.origin}/large.yaml` });
      },
      { code: 'SIZE_MISMATCH' },
    ],
    [
      'a page in place of it',
      () => {
        serve('/page.yaml', '<html>\n<body>: {</body>');
        return net({ uri: `${web.origin}/page.yaml` });
      },
      { code: 'MANIFEST_UNUSABLE', about: expect.stringContaining('the manifest of net 1') },
    ],
    [
      'an own one that is not there',
      () => ({ name: 'mine', manifest: 'nowhere.yaml' }),
      {
        code: 'MANIFEST_UNREADABLE',
        about: expect.stringContaining('nowhere.yaml'),
        hint: expect.stringContaining('the path of the manifest of mine is relative to'),
      },
    ],
    [
      'an own one that is another than the pinned one',
      () => {
        writeFileSync(join(world.folder, 'pinned.yaml'), network);
        return { name: 'mine', manifest: 'pinned.yaml', sha256: 'f'.repeat(64) };
      },
      { code: 'DIGEST_MISMATCH', about: expect.stringContaining('pinned.yaml') },
    ],
  ])('there is no package with %s', async (name, addon, failure) => {
    await expect(pack(name.replaceAll(' ', '-'), versions([addon()]))).rejects.toMatchObject(failure);
  });
});
