import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { readReport } from '../../src/sync/report/report-file.ts';
import { Desk } from '../support/built-synctl.ts';
import { DockerRegistry } from '../support/docker-registry.ts';
import { type Image, ImageMaker } from '../support/images/image.ts';
import { PlainPush } from '../support/images/push.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { copyToFolder, inspectManifest } from '../support/skopeo.ts';
import { AUTHORITY_FILE } from '../support/test-authority.ts';
import { LOGIN } from '../support/token-server.ts';
import { describeTrials } from '../support/trials.ts';

/** Two registries over TLS with tokens, one of which is full, and a desk that has the logins for both. */
async function bothSides(): Promise<
  AsyncDisposable & {
    readonly source: DockerRegistry;
    readonly sink: DockerRegistry;
    readonly images: Readonly<Record<'pause' | 'dns', Image>>;
    readonly desk: Desk;
    readonly route: readonly string[];
  }
> {
  const stack = new AsyncDisposableStack();
  const source = stack.use(await DockerRegistry.start('token'));
  const sink = stack.use(await DockerRegistry.start('token'));
  const maker = new ImageMaker();
  const platforms = ['linux/amd64', 'linux/arm64'];
  const layers = [{ name: 'shared', size: 20_000 }];
  const images = {
    pause: await maker.make({ platforms, form: 'docker', layers, own: [{ name: 'pause', size: 2000 }] }),
    dns: await maker.make({ platforms, form: 'oci', layers, own: [{ name: 'dns', size: 3000 }] }),
  };
  const push = new PlainPush(source);
  await push.push('pause', '3.10', images.pause);
  await push.push('coredns/coredns', 'v1.12.0', images.dns);
  const desk = new Desk(LOGIN);
  const auth = Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString('base64');
  desk.write('config.json', { auths: { [source.host]: { auth } } });
  desk.set('DOCKER_CONFIG', desk.folder);
  desk.write('image_set.json', { names: ['pause', 'coredns/coredns'] });
  const route = [
    '--source',
    source.host,
    '--push-to',
    sink.host,
    '--push-ns',
    'mirror',
    '--ca-file',
    AUTHORITY_FILE,
  ];
  return { source, sink, images, desk, route, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Runs `<program> login` as a person does at a desk. */
async function logIn(
  program: 'podman' | 'skopeo',
  place: string,
  variables: Record<string, string>,
): Promise<void> {
  const { PATH = '' } = process.env;
  const line = ['login', '--username', LOGIN.username, '--password-stdin', place];
  const env = { PATH, SSL_CERT_FILE: AUTHORITY_FILE, ...variables };
  const running = promisify(execFile)(program, line, { env });
  running.child.stdin?.end(LOGIN.password);
  await running;
}

describeTrials('docker-registry', [], (trial) => {
  trial('from one to another over TLS with tokens, digests unchanged, layers mounted', async () => {
    await using here = await bothSides();
    const said = await here.desk.run('sync', ...here.route, '--report', 'report.json');
    expect(said).toMatchObject({ code: 0, stderr: '' });
    const { images } = readReport(join(here.desk.folder, 'report.json'));
    // Each has two configurations and two layers of its own, and the one that both share for either platform.
    const placed = images.map(({ blobs }) => blobs);
    expect(placed.toSorted((one, other) => (one?.mounted ?? 0) - (other?.mounted ?? 0))).toEqual([
      { uploaded: 5, mounted: 0, present: 1 },
      { uploaded: 4, mounted: 1, present: 1 },
    ]);
    const sink = new PlainPush(here.sink);
    expect(await sink.digestOf('mirror/pause', '3.10')).toBe(here.images.pause.digest);
    expect(await sink.digestOf('mirror/coredns', 'v1.12.0')).toBe(here.images.dns.digest);
  });

  trial('a second run, and one without its state, copy nothing', async () => {
    await using here = await bothSides();
    await here.desk.run('sync', ...here.route);
    const second = await here.desk.run('sync', ...here.route);
    const third = await here.desk.run('sync', ...here.route, '--db', 'lost.db');
    expect([second.code, third.code]).toEqual([0, 0]);
    expect([second.stdout, third.stdout]).toEqual([
      expect.stringContaining('2 unchanged'),
      expect.stringContaining('2 unchanged'),
    ]);
  });

  trial('the state is kept in it and found again', async () => {
    await using here = await bothSides();
    await here.desk.run('sync', ...here.route, '--state', 'registry');
    const second = await here.desk.run('sync', ...here.route, '--state', 'registry', '--db', 'other.db');
    expect(second).toMatchObject({ code: 0, stdout: expect.stringContaining('2 unchanged') });
  });

  trial('an image that lost parts to its garbage collection is repaired', async () => {
    await using here = await bothSides();
    await here.desk.run('sync', ...here.route);
    await here.sink.collectGarbage();
    const checked = await here.desk.run('check', 'pause:3.10', ...here.route);
    expect(checked).toMatchObject({ code: 1, stdout: expect.stringContaining('incomplete') });
    expect(await here.desk.run('sync', ...here.route, '--verify', 'deep')).toMatchObject({ code: 0 });
    expect(await here.desk.run('check', 'pause:3.10', ...here.route)).toMatchObject({ code: 0 });
  });

  trial('a wrong password is tried once', async () => {
    await using here = await bothSides();
    here.desk.set('KEEL_PASSWORD', 'a-wrong-password');
    const said = await here.desk.run('sync', ...here.route);
    expect(said).toMatchObject({ code: 1, stderr: expect.stringContaining(here.sink.host) });
    expect(here.sink.tokens?.asked.length).toBe(1);
  });

  trial('doctor finds both sides ready', async () => {
    await using here = await bothSides();
    expect(await here.desk.run('doctor', ...here.route)).toMatchObject({ code: 0 });
  });
});

describeTrials('skopeo', ['docker-registry'], (trial) => {
  trial('reads every mirrored image with all its platforms and the digests of the source', async () => {
    await using here = await bothSides();
    expect(await here.desk.run('sync', ...here.route)).toMatchObject({ code: 0 });
    for (const [name, image] of [
      ['pause:3.10', here.images.pause],
      ['coredns:v1.12.0', here.images.dns],
    ] as const) {
      const place = { reference: `${here.sink.host}/mirror/${name}`, login: LOGIN };
      expect((await inspectManifest(place)).digest).toBe(image.digest);
      expect((await copyToFolder(place, scratchFolder())).digest).toBe(image.digest);
    }
  });

  trial('its stored login is used, in its own file and in the one of REGISTRY_AUTH_FILE', async () => {
    await using here = await bothSides();
    const runtime = scratchFolder();
    const file = join(scratchFolder(), 'logins.json');
    for (const variables of [{ XDG_RUNTIME_DIR: runtime }, { REGISTRY_AUTH_FILE: file }]) {
      const desk = new Desk();
      desk.write('image_set.json', { names: ['pause'] });
      for (const [name, value] of Object.entries(variables)) desk.set(name, value ?? '');
      expect(await desk.run('sync', ...here.route)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('there is no login for this registry'),
      });
      await logIn('skopeo', here.sink.host, { HOME: desk.folder, ...variables });
      expect(await desk.run('sync', ...here.route)).toMatchObject({ code: 0, stderr: '' });
    }
    const desk = new Desk();
    desk.write('image_set.json', { names: ['pause'] });
    desk.set('REGISTRY_AUTH_FILE', file);
    expect(await desk.run('doctor', ...here.route)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`logged in as ${LOGIN.username}, from ${file}`),
    });
  });
});

describeTrials('podman', ['docker-registry'], (trial) => {
  trial('its stored login is used, for a host and for a namespace alone', async () => {
    await using here = await bothSides();
    for (const place of [here.sink.host, `${here.sink.host}/mirror`]) {
      const desk = new Desk();
      const variables = { HOME: desk.folder, XDG_RUNTIME_DIR: scratchFolder() };
      await logIn('podman', place, variables);
      desk.write('image_set.json', { names: ['pause'] });
      desk.set('XDG_RUNTIME_DIR', variables.XDG_RUNTIME_DIR);
      const route = [...here.route, '--db', join(scratchFolder(), 'state.db')];
      expect(await desk.run('sync', ...route)).toMatchObject({ code: 0, stderr: '' });
      const beside = await desk.run('sync', ...route, '--push-ns', 'mirrors');
      const refused = { code: 1, stderr: expect.stringContaining('there is no login for this registry') };
      expect(beside).toMatchObject(place === here.sink.host ? { code: 0 } : refused);
    }
  });
});
