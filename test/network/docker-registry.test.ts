import { join } from 'node:path';
import { expect } from 'vitest';
import { readReport } from '../../src/sync/report/report.ts';
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

  trial('a second run, and one that lost its state, copy nothing', async () => {
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

  trial('the state is kept in it and found there', async () => {
    await using here = await bothSides();
    await here.desk.run('sync', ...here.route, '--state', 'registry');
    const second = await here.desk.run('sync', ...here.route, '--state', 'registry', '--db', 'other.db');
    expect(second).toMatchObject({ code: 0, stdout: expect.stringContaining('2 unchanged') });
  });

  trial('an image whose parts its garbage collection took is repaired', async () => {
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
  trial('reads every mirrored image with all its platforms, digests as at the source', async () => {
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
});
