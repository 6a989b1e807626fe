import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeFailure, Failure, failureCode } from '../../src/lib/failure.ts';
import { type Lock, readLock, requireLockedFiles, requireLockedPlan } from '../../src/pack/run/lock-file.ts';
import { type Digest, parseDigest } from '../../src/registry/oci/digest.ts';
import { describeWith } from '../support/programs.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { PackWorld } from './pack-world.ts';
import { KEEL, resolve, type Wanted } from './resolving.ts';

const calm = new AbortController().signal;

describeWith(['docker-registry'], 'a lock', () => {
  let world: PackWorld;
  let lock: string;

  beforeAll(async () => {
    world = await PackWorld.start();
    lock = join(world.folder, 'keel.lock.json');
  });
  afterAll(() => world[Symbol.asyncDispose]());

  async function packed(name: string, values: Record<string, string> = {}) {
    const { result, reporter } = await world.pack(values, { name });
    if (result.kind !== 'packed') throw new Error(result.kind);
    return { ...result, reporter };
  }

  function members(file: string): Map<string, string> {
    const text = execFileSync('tar', ['-xzOf', file, 'SHA256SUMS'], { encoding: 'utf8' });
    return new Map(
      text
        .trim()
        .split('\n')
        .map((line) => [line.slice(66), line.slice(0, 64)]),
    );
  }

  it('is written once, and makes the same bytes in another folder, whoever can be reached then', async () => {
    world.write(world.versions());
    const one = await packed('one', { lock });
    const written = readFileSync(lock, 'utf8');
    const two = await packed('two', { lock });
    expect(two.file).toEqual({ ...one.file, path: join(world.folder, 'two/out', one.file.name) });
    expect(readFileSync(two.file.path).equals(readFileSync(one.file.path))).toBe(true);
    expect(readFileSync(lock, 'utf8')).toBe(written);
    expect(two.reporter.lines).toContain(`the package matches the lock ${lock}`);
    expect(two.reporter.warnings).toEqual(one.reporter.warnings);
  });

  it('packs the locked images although their tags were moved', async () => {
    const before = members(join(world.folder, 'one/out/kube-1.37.1-amd64.tar.gz'));
    const recipe = { own: [{ name: 'other', size: 9000 }], platforms: ['linux/amd64'] };
    await world.push('maker', 'coredns/coredns', 'v1.14.6', recipe);
    const moved = await world.push('mirror', 'keel/coredns/coredns', 'v1.14.6', recipe);
    const locked = await packed('three', { lock });
    expect(members(locked.file.path)).toEqual(before);
    const fresh = await packed('four');
    const after = members(fresh.file.path);
    const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
      (path) => before.get(path) !== after.get(path),
    );
    const blobs = [...moved.blobs.keys(), moved.children[0]?.digest].map(
      (digest) => `images/blobs/sha256/${digest?.slice(7)}`,
    );
    expect(changed).toEqual(expect.arrayContaining(blobs));
    const others = changed.filter((path) => !path.startsWith('images/blobs/')).toSorted();
    expect(others).toEqual([
      'images/index.json',
      'images/manifest.json',
      'install/package.env',
      'keel-package.json',
      'sbom.spdx.json',
      'versions.json',
    ]);
  });

  it.each<[string, (world: PackWorld) => Record<string, string>, RegExp]>([
    [
      'another name',
      () => ({ beta: 'true' }),
      /was kube-1\.37\.1-amd64\.tar\.gz, but is now kube-1\.37\.1-amd64-beta/,
    ],
    [
      'another form',
      () => ({ 'image-format': 'docker-archive' }),
      /packed as oci, but are now packed as docker-archive/,
    ],
    ['another source', () => ({ 'image-source': 'upstream' }), /pause:3\.10\.2 was pulled as .*keel\/pause/],
    [
      'other lists',
      (here) => {
        const changed = here.versions();
        changed.images.pop();
        changed.components[0] = { name: 'kubectl', tag: '1.37.1', uri: `${here.web.origin}/kubelet` };
        return { 'version-config': here.write(changed, 'changed.json') };
      },
      /pause:3\.10\.2 is no longer part of the package\n {2}kubectl 1\.37\.1 is not in the lock\n {2}kubelet is no longer part of the package/,
    ],
  ])('says exactly what changed: %s', async (_, values, expected) => {
    const failure = await packed('five', { lock, ...values(world) }).catch((error: unknown) => error);
    expect(failureCode(failure)).toBe('LOCK_DIFFERS');
    expect(describeFailure(failure)).toContain('the package would differ from the lock:');
    expect(describeFailure(failure)).toMatch(expected);
    expect(existsSync(join(world.folder, 'five/out'))).toBe(false);
  });

  it('says which of our own files changed, before anything is written', async () => {
    const overlay = join(world.folder, 'overlay');
    execFileSync('mkdir', ['-p', join(overlay, 'kubernetes/conf')]);
    writeFileSync(join(overlay, 'kubernetes/conf/sysctl.conf'), 'vm.swappiness = 0\n');
    const failure = await packed('six', { lock, package: overlay }).catch((error: unknown) => error);
    expect(describeFailure(failure)).toContain('kubernetes/conf/sysctl.conf has different content');
    rmSync(overlay, { recursive: true });
  });

  it('refuses a download that is no longer the locked one', async () => {
    world.serve('/kubelet', Buffer.from('something else'));
    const failure = await packed('seven', { lock }).catch((error: unknown) => error);
    expect(failureCode(failure)).toBe('DIGEST_MISMATCH');
    expect(describeFailure(failure)).toMatch(
      /kubelet.*expected sha256:[0-9a-f]{64}, got sha256:[0-9a-f]{64}/,
    );
  });

  it.each([['{'], ['{"schema": 2}'], ['[]']])('that is damaged is told: %s', async (text) => {
    writeFileSync(lock, text);
    const failure = await packed('eight', { lock }).catch((error: unknown) => error);
    expect(failureCode(failure)).toBe('LOCK_MALFORMED');
  });
});

describe('what a lock is held against', () => {
  const HEX = 'ab'.repeat(32);
  const OTHER = 'cd'.repeat(32);
  const LOCKED = {
    schema: 1,
    package: 'kube-1.37.1-amd64.tar.gz',
    imageFormat: 'oci',
    images: [
      {
        upstream: 'registry.k8s.io/pause:3.10.2',
        pulledBy: `${KEEL}/pause:3.10.2`,
        index: `sha256:${OTHER}`,
        digest: `sha256:${HEX}`,
        check: { kind: 'pin' },
      },
    ],
    components: [
      {
        name: 'tool',
        tag: '1',
        url: 'https://e.org/tool',
        sha256: `sha256:${HEX}`,
        check: { kind: 'published', digest: `sha256:${HEX}` },
      },
    ],
    files: { 'install.sh': `sha256:${HEX}`, 'a.conf': `sha256:${HEX}` },
    tar: `sha256:${HEX}`,
  };
  const PAUSE = { name: 'pause', tag: '3.10.2' };
  const TOOL = { name: 'tool', tag: '1', uri: 'https://e.org/tool' };

  async function locked(more: object = {}): Promise<Lock> {
    const file = join(scratchFolder(), 'keel.lock.json');
    writeFileSync(file, JSON.stringify({ ...LOCKED, ...more }));
    const read = await readLock(file, calm);
    if (read === undefined) throw new Error('it was written');
    return read;
  }

  function changesOf(check: () => void): string[] {
    try {
      check();
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'LOCK_DIFFERS') throw error;
      return error.message.split('\n  ').slice(1);
    }
    return [];
  }

  it('is undefined where there is no file', async () => {
    expect(await readLock(join(scratchFolder(), 'none'), calm)).toBeUndefined();
  });

  it.each<[string, object, Wanted, string, string[]]>([
    ['nothing', {}, {}, 'oci', []],
    [
      'a pin of what is locked',
      { images: [{ ...PAUSE, image: `registry.k8s.io/pause@sha256:${HEX}` }] },
      {},
      'oci',
      [],
    ],
    [
      'a pin of the locked list',
      { images: [{ ...PAUSE, image: `registry.k8s.io/pause@sha256:${OTHER}` }] },
      {},
      'oci',
      [],
    ],
    [
      'a pin of another image',
      { images: [{ ...PAUSE, image: `registry.k8s.io/pause@sha256:${'0'.repeat(64)}` }] },
      {},
      'oci',
      [`registry.k8s.io/pause:3.10.2 was sha256:${HEX}, but is now pinned to sha256:${'0'.repeat(64)}`],
    ],
    [
      'another name and form',
      {},
      { beta: 'rc1' },
      'docker-archive',
      [
        'the package was kube-1.37.1-amd64.tar.gz, but is now kube-1.37.1-amd64-rc1.tar.gz',
        'images were packed as oci, but are now packed as docker-archive',
      ],
    ],
    [
      'another source',
      {},
      { from: 'mirror.lan' },
      'oci',
      [
        `registry.k8s.io/pause:3.10.2 was pulled as ${KEEL}/pause:3.10.2, but would now be pulled as mirror.lan/pause:3.10.2`,
      ],
    ],
    [
      'other images',
      { images: [{ name: 'flannel', tag: 'v1' }] },
      {},
      'oci',
      [
        'ghcr.io/flannel-io/flannel:v1 is not in the lock',
        'registry.k8s.io/pause:3.10.2 is no longer part of the package',
      ],
    ],
    ['another tag', { components: [{ ...TOOL, tag: '2' }] }, {}, 'oci', ['tool was 1, but is now 2']],
    [
      'another address',
      { components: [{ ...TOOL, uri: 'https://f.org/tool' }] },
      {},
      'oci',
      ['tool 1 came from https://e.org/tool, but would now come from https://f.org/tool'],
    ],
    ['a pin of the locked download', { components: [{ ...TOOL, sha256: HEX }] }, {}, 'oci', []],
    [
      'a pin of another download',
      { components: [{ ...TOOL, sha256: OTHER }] },
      {},
      'oci',
      [`tool 1 was sha256:${HEX}, but is now pinned to a different digest`],
    ],
    ['no components', { components: [] }, {}, 'oci', ['tool is no longer part of the package']],
  ])('a plan with %s', async (_, changed, wanted, format, changes) => {
    const document = { images: [PAUSE], components: [TOOL], ...changed };
    const plan = resolve(JSON.stringify(document), { kube: '1.37.1', ...wanted });
    const lock = await locked();
    expect(changesOf(() => requireLockedPlan(lock, { plan, addons: [], imageFormat: format }))).toEqual(
      changes,
    );
  });

  it('what goes with its Kubernetes, where it says so', async () => {
    const written = {
      version: '1.38.0',
      wanted: 'latest',
      kubeadm: {
        etcd: '3.8.0-0',
        coredns: 'v1.15.0',
        pause: '3.11',
        origin: 'last known, 1.37.1',
        warning: 'w',
      },
      matching: [{ name: 'runc', tag: '1.5.2', origin: 'containerd 2.4.1' }],
    };
    expect((await locked({ kubernetes: written })).kubernetes).toEqual({
      version: '1.38.0',
      wanted: 'latest',
      kubeadm: {
        tags: { etcd: '3.8.0-0', coredns: 'v1.15.0', pause: '3.11' },
        origin: 'last known, 1.37.1',
        warning: 'w',
      },
      matching: new Map([['runc', { tag: '1.5.2', origin: 'containerd 2.4.1' }]]),
    });
    expect((await locked({ kubernetes: { version: '1.37.1' } })).kubernetes).toEqual({
      version: '1.37.1',
      wanted: undefined,
      matching: new Map(),
    });
    expect((await locked()).kubernetes).toBeUndefined();
  });

  it.each([
    { version: '1.38' },
    { version: '1.38.0', kubeadm: { etcd: '3.8.0-0' } },
    { version: '1.38.0', matching: [{ name: 'runc', tag: 'a b', origin: 'x' }] },
  ])('is damaged with %j as its Kubernetes', async (kubernetes) => {
    await expect(locked({ kubernetes })).rejects.toMatchObject({
      code: 'LOCK_MALFORMED',
      hint: expect.stringContaining('give a file that packer --lock wrote'),
    });
  });

  it.each<[string, object, string[]]>([
    ['of an older packer, which did not say who told which tag', {}, []],
    ['of this packer', { kubernetes: { version: '1.37.1' } }, ['keel-package.json has different content']],
  ])('a list of the package with more in it than a lock %s knows', async (_, more, changes) => {
    const [before, now] = [HEX, OTHER].map((hex) => parseDigest(`sha256:${hex}`, 'test'));
    if (before === undefined || now === undefined) throw new Error('there are two');
    const lock = await locked({ ...more, files: { 'keel-package.json': before } });
    expect(
      changesOf(() => requireLockedFiles(lock, new Map([['keel-package.json', now]]), { images: [] })),
    ).toEqual(changes);
  });

  it('files of the package', async () => {
    const lock = await locked();
    const [same, other] = [HEX, OTHER].map((hex) => parseDigest(`sha256:${hex}`, 'test'));
    if (same === undefined || other === undefined) throw new Error('there are two');
    const files = (...entries: [string, Digest][]) => new Map(entries);
    expect(
      changesOf(() =>
        requireLockedFiles(lock, files(['a.conf', same], ['install.sh', same]), { images: [] }),
      ),
    ).toEqual([]);
    expect(
      changesOf(() =>
        requireLockedFiles(lock, files(['install.sh', other], ['b.conf', same]), { images: [] }),
      ),
    ).toEqual(['a.conf was removed', 'b.conf is new', 'install.sh has different content']);
  });
});
