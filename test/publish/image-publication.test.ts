import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeFailure, failureCode } from '../../src/lib/failure.ts';
import {
  type ImagesDestination,
  imagesHeadline,
  nodesCommand,
  publishImages,
} from '../../src/publish/images/image-publication.ts';
import { type Digest, digestHex } from '../../src/registry/oci/digest.ts';
import { parseManifest } from '../../src/registry/oci/manifest.ts';
import { parseHost, parseRepository } from '../../src/registry/oci/reference.ts';
import { brokenTags } from '../faults/wholeness.ts';
import { PackWorld } from '../pack/pack-world.ts';
import { DockerRegistry } from '../support/docker-registry.ts';
import { describeWith } from '../support/programs.ts';
import { TOKENS } from '../support/registry/access.ts';
import type { Quirks } from '../support/registry/quirks.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedImage } from '../support/registry/seed.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { copyToFolder, inspectArchitecture, inspectManifest } from '../support/skopeo.ts';
import { AUTHORITY_FILE } from '../support/test-authority.ts';
import { TestClient } from '../support/test-client.ts';
import { LOGIN } from '../support/token-server.ts';
import { Listener } from './listener.ts';

const PACKER = fileURLToPath(new URL('../../src/packer.ts', import.meta.url));
const SYNCTL = fileURLToPath(new URL('../../src/synctl.ts', import.meta.url));
const TAGS = { 'kube-proxy': 'v1.37.1', coredns: 'v1.14.6', pause: '3.10.2' };

interface Choices extends Partial<Omit<ImagesDestination, 'host'>> {
  readonly overwrite?: boolean;
  readonly dryRun?: boolean;
  readonly isAtRoot?: boolean;
  readonly login?: typeof LOGIN | undefined;
}

describeWith(['docker-registry', 'skopeo'], 'the images of a package', () => {
  let world: PackWorld;
  const packages = new Map<string, string>();

  beforeAll(async () => {
    world = await PackWorld.start();
    world.write(world.versions());
    for (const [name, flags] of [
      ['amd64', {}],
      ['arm64', { arch: 'arm64' }],
      ['docker', { 'image-format': 'docker-archive' }],
    ] as const) {
      const { result } = await world.pack(flags, { name });
      if (result.kind !== 'packed') throw new Error(result.kind);
      packages.set(name, result.file.path);
    }
  });
  afterAll(() => world[Symbol.asyncDispose]());

  function packageOf(name: string): string {
    const path = packages.get(name);
    if (path === undefined) throw new Error(`there is no package ${name}`);
    return path;
  }

  function layerOfPause(): Digest {
    const pause = world.images.get('pause')?.children[0];
    const manifest = pause && parseManifest(pause.bytes, undefined, 'pause');
    if (manifest?.kind !== 'image' || manifest.layers[0] === undefined) throw new Error('pause has a layer');
    return manifest.layers[0].digest;
  }

  function unpack(name = 'amd64'): string {
    const folder = scratchFolder();
    execFileSync('tar', ['-xzf', packageOf(name), '-C', folder]);
    return folder;
  }

  async function push(path: string, host: string, choices: Choices = {}) {
    const { naming = 'basename', overwrite = false, dryRun = false, isAtRoot = false } = choices;
    const { namespace = isAtRoot ? undefined : parseRepository('mirror'), login } = {
      login: LOGIN,
      ...choices,
    };
    const destination = { host: parseHost(host), naming, namespace };
    using client = new TestClient(destination.host, { login });
    const reporter = new Listener();
    const published = await publishImages(path, {
      registry: () => client.registry,
      destination,
      overwrite,
      dryRun,
      reporter,
      label: (flag) => `--${flag}`,
      signal: client.signal,
    });
    return { published, destination, reporter };
  }

  it.each(['the archive', 'the folder it was unpacked into'])(
    'go from %s to a registry, digests unchanged',
    async (form) => {
      await using registry = await DockerRegistry.start('token');
      const path = form === 'the archive' ? packageOf('amd64') : unpack();
      const { published, reporter, destination } = await push(path, registry.host);
      expect(published.failures).toEqual([]);
      for (const [name, tag] of Object.entries(TAGS)) {
        const place = { reference: `${registry.host}/mirror/${name}:${tag}`, login: LOGIN };
        expect((await inspectManifest(place)).digest).toBe(world.manifest(name));
        // skopeo compares each layer with its digest.
        await copyToFolder(place, join(scratchFolder(), name));
      }
      expect(reporter.lines).toHaveLength(3);
      expect(imagesHeadline(published)).toMatch(/^3 images: 3 pushed \(4\d\d KiB\)$/);
      expect(nodesCommand(published, destination, undefined)).toBe(
        `synctl check --kubernetes 1.37.1 --arch amd64 --push-to ${registry.host} --push-ns mirror`,
      );
      const again = await push(path, registry.host);
      expect(imagesHeadline(again.published)).toBe('3 images: 3 unchanged');
      expect(again.reporter.lines).toEqual([]);
    },
  );

  it.each([
    ['basename', 'mirror/coredns'],
    ['dashed', 'mirror/coredns-coredns'],
    ['path', 'mirror/coredns/coredns'],
  ] as const)('have the names that sync gives them with --naming %s', async (naming, name) => {
    await using registry = await startRegistry({ access: TOKENS });
    const { published } = await push(packageOf('amd64'), registry.host, { naming });
    expect(published.images.map(({ target }) => target)).toContain(`${registry.host}/${name}:v1.14.6`);
    expect(registry.storage.manifest(name, 'v1.14.6')?.digest).toBe(world.manifest('coredns'));
    // The name that an image was pulled by is none of its own.
    expect([...registry.storage.repositories.keys()].filter((path) => path.includes('keel'))).toEqual([]);
    expect(brokenTags(registry.storage)).toEqual([]);
  });

  it('stand at the root of a registry where no path is given, and a dry run sends nothing', async () => {
    await using registry = await startRegistry({ access: TOKENS });
    const { published, reporter } = await push(unpack(), registry.host, { isAtRoot: true, dryRun: true });
    expect(reporter.lines).toContain(`${world.maker.host}/pause:3.10.2 → ${registry.host}/pause:3.10.2`);
    expect(imagesHeadline(published)).toBe('3 images: 3 would be pushed');
    expect(registry.journal.count()).toBe(0);
  });

  it.each([401, 403] as const)(
    'go to a registry that answers %s for tags that it does not have, and not over one that may not be read',
    async (absentManifest) => {
      await using registry = await startRegistry({ access: TOKENS, quirks: { absentManifest } });
      seedImage(registry.storage, 'mirror/pause', { tags: ['3.10.2'], seed: 'other' });
      const denied = registry.fail({
        match: { kind: ['manifest-head', 'manifest-get'], when: ({ path }) => path.includes('/pause/') },
        times: Number.POSITIVE_INFINITY,
        fault: { kind: 'status', status: 403 },
      });
      const { published } = await push(packageOf('amd64'), registry.host);
      expect(published.failures).toMatchObject([{ name: expect.stringContaining('/pause:3.10.2') }]);
      expect(denied.hits).toBeGreaterThan(0);
      denied.stop();
      const again = await push(packageOf('amd64'), registry.host, { overwrite: true });
      expect(imagesHeadline(again.published)).toMatch(/^3 images: 1 pushed \(.*\), 2 unchanged$/);
      expect(brokenTags(registry.storage)).toEqual([]);
    },
  );

  it.each<[string, Quirks, RegExp]>([
    ['lists of platforms', { refuseOciIndex: true }, /does not accept this type of index.*each package to a/],
    [
      'tags that change',
      { immutableTags: 409 },
      /exclude this repository from the rule, or push to another path/,
    ],
    ["images of Docker's format", { refuseDocker: true }, /does not accept images of this format/],
  ])('that a registry refuses are told with what to do: %s', async (_, quirks, words) => {
    await using registry = await startRegistry({ access: TOKENS, quirks });
    const first = await push(packageOf('amd64'), registry.host);
    const second = await push(packageOf('arm64'), registry.host);
    expect([...first.reporter.errors, ...second.reporter.errors].join()).toMatch(words);
    expect(brokenTags(registry.storage)).toEqual([]);
  });

  it('share a layer that is sent once', async () => {
    await using registry = await startRegistry({ access: TOKENS });
    await push(packageOf('amd64'), registry.host);
    const sent = registry.journal.filter({ kind: 'upload-put' }).map(({ bytesIn }) => bytesIn);
    expect(sent.filter((size) => size > 60_000 && size < 70_000)).toHaveLength(1);
  });

  it('take a layer from where an earlier run had brought it, for another image', async () => {
    await using registry = await startRegistry({ access: TOKENS });
    await push(packageOf('amd64'), registry.host);
    const { storage, journal } = registry;
    storage.repositories.delete('mirror/kube-proxy');
    storage.deleteManifest('mirror/coredns', world.manifest('coredns'));
    journal.clear();
    const { published } = await push(packageOf('amd64'), registry.host);
    expect(imagesHeadline(published)).toMatch(/^3 images: 2 pushed \(.*\), 1 unchanged$/);
    const sent = journal.filter({ kind: 'upload-put' }).map(({ bytesIn }) => bytesIn);
    expect(sent.filter((size) => size > 60_000 && size < 70_000)).toEqual([]);
    expect(brokenTags(storage)).toEqual([]);
  });

  it.each(['amd64 first', 'arm64 first'])(
    'of two architectures stand under one tag together: %s',
    async (order) => {
      await using registry = await DockerRegistry.start('token');
      const [one, other] = order === 'amd64 first' ? ['amd64', 'arm64'] : ['arm64', 'amd64'];
      await push(packageOf(one), registry.host);
      const { published, reporter } = await push(packageOf(other), registry.host);
      expect(published.failures).toEqual([]);
      expect(reporter.lines.join('\n')).toContain(`, added to the existing linux/${one})`);
      for (const [name, tag] of Object.entries(TAGS)) {
        const place = { reference: `${registry.host}/mirror/${name}:${tag}`, login: LOGIN };
        for (const architecture of ['amd64', 'arm64'])
          expect(await inspectArchitecture(place, architecture)).toBe(architecture);
        await copyToFolder(place, join(scratchFolder(), name));
        expect((await inspectManifest(place)).text).toContain(world.manifest(name, 1));
      }
      const again = await Promise.all([one, other].map((name) => push(packageOf(name), registry.host)));
      expect(again.map((each) => imagesHeadline(each.published))).toEqual(
        Array(2).fill('3 images: 3 unchanged'),
      );
    },
  );

  it('are there already where the mirror has the index of the maker under the tag', async () => {
    const registry = world.mirror;
    const { published } = await push(packageOf('amd64'), registry.host, {
      namespace: parseRepository('keel'),
      naming: 'path',
    });
    expect(imagesHeadline(published)).toBe('3 images: 3 unchanged');
  });

  it('do not replace another image of their platform unless the user says so', async () => {
    await using registry = await startRegistry({ access: TOKENS });
    seedImage(registry.storage, 'mirror/pause', { tags: ['3.10.2'], seed: 'other' });
    const there = registry.storage.manifest('mirror/pause', '3.10.2')?.digest;
    const refused = await push(packageOf('amd64'), registry.host);
    expect(refused.published.failures).toMatchObject([
      {
        name: `${world.maker.host}/pause:3.10.2`,
        error: {
          code: 'ALREADY_PUBLISHED',
          message: expect.stringContaining('this tag has a different image for the same platform'),
        },
      },
    ]);
    expect(refused.reporter.errors.join()).toContain('use --overwrite, or push to another path');
    expect(imagesHeadline(refused.published)).toMatch(/^3 images: 2 pushed \(.*\), 1 failed$/);
    expect(registry.storage.manifest('mirror/pause', '3.10.2')?.digest).toBe(there);
    const replaced = await push(packageOf('amd64'), registry.host, { overwrite: true });
    expect(imagesHeadline(replaced.published)).toMatch(/^3 images: 1 pushed \(.*\), 2 unchanged$/);
    expect(registry.storage.manifest('mirror/pause', '3.10.2')?.digest).toBe(world.manifest('pause'));
  });

  it('are repaired where a garbage collection took a layer from under the tag', async () => {
    await using registry = await startRegistry({ access: TOKENS });
    await push(packageOf('amd64'), registry.host);
    registry.storage.deleteBlob('mirror/pause', layerOfPause());
    expect(brokenTags(registry.storage)).toHaveLength(1);
    const { published } = await push(packageOf('amd64'), registry.host);
    expect(imagesHeadline(published)).toMatch(/^3 images: 1 pushed \(.*\), 2 unchanged$/);
    expect(brokenTags(registry.storage)).toEqual([]);
  });

  it.each(['the archive', 'the folder it was unpacked into'])(
    'that have another content than their digest says fail alone, and none of it is sent: %s',
    async (form) => {
      await using registry = await startRegistry({ access: TOKENS });
      const folder = unpack();
      const file = join(folder, 'images/blobs/sha256', digestHex(layerOfPause()));
      const bytes = readFileSync(file);
      bytes[100] = (bytes[100] ?? 0) ^ 1;
      writeFileSync(file, bytes);
      const { published, reporter } = await push(
        form === 'the archive' ? packAgain(folder) : folder,
        registry.host,
      );
      expect(published.failures.map(({ error }) => failureCode(error))).toEqual(['PACKAGE_DAMAGED']);
      expect(reporter.errors.join()).toMatch(
        /pause:3\.10\.2: images\/blobs\/sha256\/.* its content does not match its digest/,
      );
      expect(reporter.errors.join()).toContain('copy the package again');
      expect(imagesHeadline(published)).toMatch(/^3 images: 2 pushed \(.*\), 1 failed$/);
      expect(registry.storage.contents.has(layerOfPause())).toBe(false);
      expect(brokenTags(registry.storage)).toEqual([]);
    },
  );

  it.each<[string, (folder: string) => string, RegExp]>([
    [
      'whose list of images was changed',
      (folder) => {
        appendFileSync(join(folder, 'images/index.json'), ' ');
        return folder;
      },
      /images\/index\.json in .*: its checksum differs from SHA256SUMS/,
    ],
    [
      'without sums',
      (folder) => {
        rmSync(join(folder, 'SHA256SUMS'));
        return folder;
      },
      /it is not a package of packer: it contains no SHA256SUMS/,
    ],
    [
      'that was cut',
      (folder) => {
        const file = join(folder, 'cut.tar.gz');
        writeFileSync(file, readFileSync(packageOf('amd64')).subarray(0, 200_000));
        return file;
      },
      /cut\.tar\.gz: it cannot be read as a tar\.gz/,
    ],
    [
      'with a file in it twice',
      (folder) => packAgain(folder, ['images/index.json']),
      /images\/index\.json in .*: the package contains it twice/,
    ],
    ['that is not there', (folder) => join(folder, 'none.tar.gz'), /none\.tar\.gz: there is no such file/],
    [
      'with docker archives',
      () => packageOf('docker'),
      /in the format of docker save.*build the package with --image-format oci, or .*skopeo copy docker-archive:images\//,
    ],
  ])('of a package %s are not pushed', async (_, spoil, words) => {
    await using registry = await startRegistry({ access: TOKENS });
    const path = spoil(unpack());
    const error = await push(path, registry.host).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(describeFailure(error)).toMatch(words);
    expect(registry.journal.count()).toBe(0);
  });

  it('that would have one name are both refused, with what to do', async () => {
    const name = 'two';
    await world.push('mirror', 'keel/other/pause', '3.10.2', { own: [{ name: 'other', size: 4000 }] });
    await world.push('maker', 'other/pause', '3.10.2', { own: [{ name: 'other', size: 4000 }] });
    const versions = world.versions();
    const images = [
      ...versions.images,
      { name: 'other/pause', tag: '3.10.2', image: `${world.maker.host}/other/pause` },
    ];
    const file = world.write({ ...versions, images }, 'two.json');
    const { result } = await world.pack({ 'version-config': file, 'image-source': 'upstream' }, { name });
    if (result.kind !== 'packed') throw new Error(result.kind);
    await using registry = await startRegistry({ access: TOKENS });
    const { published, reporter } = await push(result.file.path, registry.host);
    expect(published.failures.map(({ error }) => failureCode(error))).toEqual(
      Array(2).fill('IMAGE_NAME_TAKEN'),
    );
    expect(reporter.errors.join()).toMatch(/would all get this name.*--naming dashed/);
    expect(published.images).toHaveLength(2);
    expect((await push(result.file.path, registry.host, { naming: 'path' })).published.failures).toEqual([]);
  });

  it('are not pushed without a login, which is said once', async () => {
    await using registry = await startRegistry({ access: TOKENS });
    await expect(push(packageOf('amd64'), registry.host, { login: undefined })).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      about: registry.host,
      hint: expect.stringMatching(/^set --username and --password-stdin, or run "docker login 127/),
    });
    expect(registry.storage.repositories.size).toBe(0);
  });

  it('are whole after the process was killed half-way, and the next run sends what had not arrived', async () => {
    await using registry = await startRegistry({ access: TOKENS });
    const silent = registry.fail({
      match: { kind: 'upload-put', when: ({ headers }) => Number(headers['content-length']) > 100_000 },
      fault: { kind: 'silence' },
    });
    const line = ['push', '--pkg-uri', packageOf('amd64'), '--images-to', `${registry.host}/mirror`];
    const first = start(line, ['--ca-file', AUTHORITY_FILE]);
    await registry.journal.next({ kind: 'manifest-put' });
    first.child.kill('SIGKILL');
    expect((await first.ended).code).toBeNull();
    // It may have been killed before it came to the layer.
    silent.stop();
    expect(brokenTags(registry.storage)).toEqual([]);
    const arrived = registry.journal.filter({ kind: 'upload-put', when: ({ status }) => status === 201 });
    registry.journal.clear();
    const second = await start(line, ['--ca-file', AUTHORITY_FILE]).ended;
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(second.stdout).toMatch(
      /\n3 images: .*\nhow machines use them: synctl check --kubernetes 1\.37\.1 /,
    );
    const sizes = new Set(arrived.map(({ bytesIn }) => bytesIn).filter((size) => size > 3000));
    expect(sizes.size).toBeGreaterThan(0);
    const sentAgain = registry.journal.filter({
      kind: 'upload-put',
      when: ({ bytesIn }) => sizes.has(bytesIn),
    });
    expect(sentAgain).toEqual([]);
    expect(brokenTags(registry.storage)).toEqual([]);
  });

  it('are what the command tells that a run ends with', async () => {
    await using registry = await startRegistry({ access: TOKENS });
    const line = ['push', '--pkg-uri', packageOf('amd64'), '--images-to', `${registry.host}/mirror`];
    const login = ['--username', LOGIN.username, '--password-stdin'];
    const pushed = await start([...line, '--naming', 'path'], ['--ca-file', AUTHORITY_FILE, ...login], {
      input: `${LOGIN.password}\n`,
    }).ended;
    expect(pushed).toMatchObject({ code: 0, stderr: '' });
    const [, words = ''] = /how machines use them: synctl (.*)$/m.exec(pushed.stdout) ?? [];
    expect(words).toContain(` --naming path --ca-file ${AUTHORITY_FILE}`);
    const { stdout, code } = await start(words.split(' '), [], { program: SYNCTL }).ended;
    // The package of a test has not all that kubeadm needs.
    expect(code).toBe(1);
    for (const [path, tag] of [
      ['kube-proxy', 'v1.37.1'],
      ['coredns/coredns', 'v1.14.6'],
      ['pause', '3.10.2'],
    ])
      expect(stdout).toMatch(new RegExp(`^${path}:${tag} +mirror/${path}:${tag} +[0-9a-f]{12} +there$`, 'm'));
  });

  it('need no room on the disk, and are told as JSON with exit code 1 where one failed', async () => {
    await using registry = await startRegistry({ access: TOKENS });
    seedImage(registry.storage, 'mirror/pause', { tags: ['3.10.2'], seed: 'other' });
    const line = [
      'push',
      '--pkg-uri',
      packageOf('amd64'),
      '--images-to',
      `${registry.host}/mirror`,
      '--json',
    ];
    const { code, stdout } = await start(line, ['--ca-file', AUTHORITY_FILE], { hasRoom: false }).ended;
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      kubernetes: '1.37.1',
      arch: 'amd64',
      images: [{ outcome: 'pushed' }, { outcome: 'pushed' }],
      failures: [{ name: `${world.maker.host}/pause:3.10.2`, hint: expect.stringContaining('--overwrite') }],
      nodes: expect.stringContaining('synctl check'),
    });
  });
});

/** Returns an archive of a folder as tar makes it, in another order than packer and with ./ before each name. */
function packAgain(folder: string, more: readonly string[] = []): string {
  const file = join(scratchFolder(), 'again.tar.gz');
  execFileSync('tar', [
    '-czf',
    file,
    '--hard-dereference',
    '-C',
    folder,
    '.',
    ...more.map((path) => `./${path}`),
  ]);
  return file;
}

/** Runs packer as a process of its own. Without room it may not write a byte to any file. */
function start(
  line: readonly string[],
  trust: readonly string[],
  { hasRoom = true, program = PACKER, input = '' } = {},
) {
  const { PATH = '' } = process.env;
  const home = scratchFolder();
  const variables = {
    KEEL_IMAGES_USERNAME: LOGIN.username,
    KEEL_IMAGES_PASSWORD: LOGIN.password,
    KEEL_USERNAME: LOGIN.username,
    KEEL_PASSWORD: LOGIN.password,
  };
  const limit = hasRoom ? 'exec "$@"' : `trap '' XFSZ; ulimit -f 0; exec "$@"`;
  const child = spawn(
    'sh',
    ['-c', limit, 'sh', process.execPath, program, ...line, ...trust, '--retry-interval', '10ms'],
    {
      cwd: home,
      env: { PATH, HOME: home, ...(input === '' ? variables : {}) },
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
  child.stdin.end(input);
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  const ended = Promise.all([text(child.stdout), text(child.stderr), closed]).then(
    ([stdout, stderr, code]) => ({
      stdout,
      stderr,
      code,
    }),
  );
  return { child, ended };
}
