import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
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
    ['help in groups', ['--help'], 0, /Where images come from:\n[\s\S]*Exit codes:/],
    ['help of push', ['push', '-h'], 0, /--pkg-uri FILE/],
  ])('tells %s', async (_, line, code, expected) => {
    const said = await runIn(world.folder, packer, line);
    expect(said).toMatchObject({ code, stdout: expect.stringMatching(expected), stderr: '' });
  });

  it.each<[string, string[], RegExp]>([
    ['a flag that is none', ['--image-sauce', 'x'], /unknown option/],
    ['an architecture that is none', ['--arch', 'amd65'], /--arch: "amd65" is not an architecture.*amd64/],
    ['push without a package', ['push', '--repo', 'none'], /--pkg-uri: there is no package/],
    ['a mistake in versions.json', ['--version-config', 'wrong.json'], /wrong\.json:3:\d+: /],
  ])('refuses %s with 2', async (_, line, expected) => {
    world.write('{\n  "images": [\n    { "name": "pause", "tga": "3.10" }\n  ]\n}', 'wrong.json');
    const said = await runIn(world.folder, packer, line);
    expect(said.code).toBe(2);
    expect(said.stderr).toMatch(expected);
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
