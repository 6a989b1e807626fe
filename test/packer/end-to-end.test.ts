import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PackWorld } from '../pack/pack-world.ts';
import { buildPacker, runIn, type Said } from '../support/built-packer.ts';
import { Kodo } from '../support/kodo/kodo.ts';
import { describeWith } from '../support/programs.ts';
import { publishingEnvironment } from '../support/publishing-environment.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { ReleaseService } from '../support/release-service.ts';

const NAME = 'kube-1.37.1-amd64.tar.gz';

describeWith(['docker-registry', 'skopeo'], 'the built packer', () => {
  let world: PackWorld;
  let folder: string;
  let packer: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keel packer '));
    // Somewhere else than where it was built, beside nothing.
    const built = buildPacker(folder);
    mkdirSync(join(folder, 'elsewhere'));
    packer = join(folder, 'elsewhere/packer');
    copyFileSync(built, packer);
    rmSync(join(folder, 'parts'), { recursive: true });
    world = await PackWorld.start();
    world.write(world.versions());
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  function pack(name: string, ...line: readonly string[]): Promise<Said> {
    const flags = Object.entries(world.flags(name)).flatMap(([flag, value]) => [`--${flag}`, value]);
    return runIn(world.folder, packer, [...flags, ...line]);
  }

  it('packs versions.json of the folder it is called in, and tells it as JSON', async () => {
    const { code, stdout, stderr } = await pack('cli', '--json', '--lock', 'keel.lock.json');
    expect(code, stderr).toBe(0);
    const told: Record<string, unknown> = JSON.parse(stdout);
    const file = join(world.folder, 'cli/out', NAME);
    expect(told).toMatchObject({ package: NAME, path: file, kubernetes: '1.37.1', arch: 'amd64' });
    const sum = execFileSync('sha256sum', [file], { encoding: 'utf8' }).slice(0, 64);
    expect(told['sha256']).toBe(`sha256:${sum}`);
    const tar = execFileSync('sh', ['-c', 'gzip -dc "$1" | sha256sum', 'sh', file], { encoding: 'utf8' });
    expect(told['tarSha256']).toBe(`sha256:${tar.slice(0, 64)}`);
    expect(
      execFileSync('tar', ['-xzOf', file, 'install.sh']).equals(readFileSync('package/install.sh')),
    ).toBe(true);
    const again = await pack('cli-again', '--lock', 'keel.lock.json');
    expect(again.code, again.stderr).toBe(0);
    expect(readFileSync(join(world.folder, 'cli-again/out', NAME)).equals(readFileSync(file))).toBe(true);
  });

  it('tells in lines what moved, and next to nothing when all is there', async () => {
    const first = await pack('lines');
    expect(first.stdout).toMatch(/^kubelet 1\.37\.1, 94\.7 KiB, checksum published at http/m);
    const second = await pack('lines');
    expect(second.code).toBe(0);
    expect(second.stdout).not.toContain('checksum published');
    expect(second.stdout).toContain(`${NAME}: `);
  });

  it('packs images of an application from a list, by tag and by digest, like those of versions.json', async () => {
    const recipe = { own: [{ name: 'web', size: 9000 }], platforms: ['linux/amd64', 'linux/arm64'] };
    const web = await world.push('maker', 'apps/web', '1.0', recipe);
    const job = await world.push('maker', 'apps/job', '2.0', { own: [{ name: 'job', size: 9000 }] });
    await world.push('mirror', 'keel/web', '1.0', recipe);
    await world.push('mirror', 'keel/job', '2.0', { own: [{ name: 'job', size: 9000 }] });
    const { host } = world.maker;
    const webName = `${host}/apps/web:1.0`;
    const jobName = `${host}/apps/job:digest-${job.digest.slice(7, 19)}`;
    writeFileSync(
      join(world.folder, 'apps.txt'),
      `# of the application\n${webName}@${web.digest}\n${host}/apps/job@${job.digest}\n${host}/pause:3.10.2\n`,
    );
    const line = ['--images', 'apps.txt', '--json'];
    const dry = await pack('apps', ...line, '--dry-run');
    expect(JSON.parse(dry.stdout).images.slice(3)).toMatchObject([
      { upstream: webName, digest: web.digest, candidates: { 0: `${world.mirror.host}/keel/web:1.0` } },
      { upstream: jobName, digest: job.digest, candidates: { 0: `${world.mirror.host}/keel/job` } },
    ]);
    const { code, stdout, stderr } = await pack('apps', ...line, '--lock', 'apps.lock.json');
    expect(code, stderr).toBe(0);
    const told = JSON.parse(stdout);
    expect(told.images.map(({ upstream }: { upstream: string }) => upstream).slice(3)).toEqual([
      webName,
      jobName,
    ]);
    expect(told.images[3]).toMatchObject({ index: web.digest, check: { kind: 'pin' } });
    const read = (path: string) =>
      execFileSync('tar', ['-xzOf', join(world.folder, 'apps/out', NAME), path], { encoding: 'utf8' });
    for (const path of ['keel-package.json', 'images/index.json', 'sbom.spdx.json', 'versions.json']) {
      for (const part of ['apps/web', 'apps/job']) expect(read(path), path).toContain(part);
    }
    expect((await pack('apps', ...line, '--lock', 'apps.lock.json')).code).toBe(0);
    const without = await pack('apps', '--lock', 'apps.lock.json');
    expect(without.stderr).toContain(`${webName} is no longer part of the package`);
    // What is packed names its images itself.
    writeFileSync(join(world.folder, 'again.json'), read('versions.json'));
    const again = await pack('apps', '--version-config', 'again.json', '--json');
    expect(again.code, again.stderr).toBe(0);
    expect(JSON.parse(again.stdout).images).toHaveLength(5);
  });

  it('reads a list from standard input, and tells what cannot be packed', async () => {
    const piped = await runIn(world.folder, 'sh', [
      '-c',
      `echo '${world.maker.host}/apps/nosuch:1' | "$0" --images - "$@"`,
      packer,
      ...Object.entries(world.flags('piped')).flatMap(([flag, value]) => [`--${flag}`, value]),
    ]);
    expect(piped.stderr).toContain('/apps/nosuch 1: not found; tried ');
    expect(piped.code).toBe(1);
    const wrong = await pack('piped', '--images', 'A:1', '--images', '');
    expect(wrong.stderr).toContain('error: A:1: "A" cannot be part of a repository name');
    expect(wrong.code).toBe(2);
  });

  it('publishes with push to Qiniu, a registry and a release at once, and sends nothing twice', async () => {
    await using kodo = await Kodo.start();
    await using releases = await ReleaseService.start();
    const login = { username: 'robot$packages', password: 'p@ss w/rd for packages' };
    const users = { [login.username]: login.password };
    await using hub = await startRegistry({ access: { mode: 'bearer', users } });
    const line = ['push', '--pkg-uri', `cli/out/${NAME}`, '--repo', 'qiniu,dockerhub,release', '--json'];
    const flags = ['--dockerhub-repository', `${hub.host}/me/kube`, '--dockerhub-form=artifact'];
    const environment = publishingEnvironment({ kodo, releases }, login);
    const first = await runIn(world.folder, packer, [...line, ...flags], environment);
    expect(first.code, first.stderr).toBe(0);
    const { locations } = JSON.parse(first.stdout);
    expect(locations).toHaveLength(3);
    const content = readFileSync(join(world.folder, 'cli/out', NAME));
    expect((await kodo.content('keel', NAME)).equals(content)).toBe(true);
    const second = await runIn(world.folder, packer, [...line, ...flags], environment);
    expect(JSON.parse(second.stdout)).toMatchObject({
      failures: [],
      locations: [{ outcome: 'present' }, { outcome: 'present' }, { outcome: 'present' }],
    });
    // What runIn() looks for is what failures tell as well.
    const wrong = {
      ...environment,
      KEEL_SECRET_KEY: 'another secret key',
      KEEL_DOCKERHUB_PASSWORD: 'another password',
      KEEL_GITHUB_TOKEN: 'another token',
    };
    const refused = await runIn(world.folder, packer, [...line, ...flags], wrong);
    expect(refused.code).toBe(1);
    for (const target of ['qiniu', 'dockerhub', 'release']) expect(refused.stderr).toContain(target);
    const open = await runIn(world.folder, packer, [...line, ...flags, '-s', 'in-the-open'], environment);
    expect(open.stderr).toContain('--secret-key: every user of this machine can read it');
    expect(open.stderr).not.toContain('in-the-open');
  });

  it('publishes with push by the logins of KEEL_REGISTRY_LOGINS', async () => {
    const password = 'of another registry';
    await using hub = await startRegistry({ access: { mode: 'bearer', users: { robot: password } } });
    const target = ['--repo', 'dockerhub', '--dockerhub-repository', `${hub.host}/me/kube`];
    const line = ['push', '--pkg-uri', `cli/out/${NAME}`, ...target, '--dockerhub-form', 'artifact'];
    const logins = { KEEL_REGISTRY_LOGINS: `a.example me hush\n${hub.host} robot ${password}` };
    const said = await runIn(world.folder, packer, line, logins);
    expect(said, said.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('published') });
    expect(`${said.stdout}${said.stderr}`).not.toContain(password);
    const malformed = await runIn(world.folder, packer, line, { KEEL_REGISTRY_LOGINS: hub.host });
    expect(malformed).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^error: KEEL_REGISTRY_LOGINS: /),
    });
  });

  it.each<[string, string[], number, RegExp]>([
    ['its version', ['-v'], 0, /^v1\.0\.0\n$/],
    ['help in groups', ['--help'], 0, /Package contents:\n[\s\S]*Exit codes:/],
    ['help of push', ['push', '-h'], 0, /--pkg-uri FILE/],
    [
      'that it publishes nothing',
      ['push', '--pkg-uri', `cli/out/${NAME}`, '--repo', 'none'],
      0,
      /^published nowhere: --repo is none\n$/,
    ],
  ])('tells %s', async (_, line, code, expected) => {
    const said = await runIn(world.folder, packer, line);
    expect(said).toMatchObject({ code, stdout: expect.stringMatching(expected), stderr: '' });
  });

  it.each<[string, string[], RegExp]>([
    ['a flag that is none', ['--image-sauce', 'x'], /unknown option/],
    ['an architecture that is none', ['--arch', 'amd65'], /--arch: "amd65" is not an architecture.*amd64/],
    ['push without a package', ['push', '--repo', 'none'], /--pkg-uri: no package to publish/],
    ['a mistake in versions.json', ['--version-config', 'wrong.json'], /wrong\.json:3:\d+: /],
  ])('refuses %s with 2', async (_, line, expected) => {
    world.write('{\n  "images": [\n    { "name": "pause", "tga": "3.10" }\n  ]\n}', 'wrong.json');
    const said = await runIn(world.folder, packer, line);
    expect(said.code).toBe(2);
    expect(said.stderr).toMatch(expected);
  });

  it('states what cannot be fetched as JSON, with the components and the codes', async () => {
    world.web.put('/kubelet', '', { kind: 'status', status: 404 });
    const { code, stdout, stderr } = await pack('missing', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      failures: [{ code: 'NOT_FOUND', about: 'kubelet 1.37.1', hint: expect.any(String) }],
    });
    expect(stderr).toMatch(/error: kubelet 1\.37\.1: http.*\/kubelet: answered with status 404/);
    for (const { path, content } of world.components) world.serve(path, content);
  });

  it('leaves no package when a download is not what was promised', async () => {
    world.web.put('/kubelet', 'corrupted');
    const { code, stderr } = await pack('corrupted');
    expect(code).toBe(1);
    expect(stderr).toMatch(/kubelet.* from http.*: expected sha256:[0-9a-f]{64}, got sha256:[0-9a-f]{64}/);
    expect(existsSync(join(world.folder, 'corrupted/out', NAME))).toBe(false);
    for (const { path, content } of world.components) world.serve(path, content);
  });
});
