import { describe, expect, test } from 'vitest';
import { parseKubernetesWord } from '../../src/config/kubernetes/word-parser.ts';
import { parseReference } from '../../src/registry/oci/reference.ts';
import { checkImage } from '../../src/sync/check/image-check.ts';
import { checkInstallation } from '../../src/sync/check/installation.ts';
import { PUBLIC_TOKENS, TOKENS } from '../support/registry/access.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { seedIndex } from '../support/registry/seed.ts';
import { SyncRoute } from '../support/sync-run.ts';

const START = Date.UTC(2026, 2, 1, 2);
const HOUR = 3_600_000;
const at = (hours: number): Date => new Date(START + hours * HOUR);

/** A source that tells times of upload, as Artifact Registry does, or one that lists names alone; runs at hours from a start. */
async function world(set: object, { isDated = true } = {}) {
  const stack = new AsyncDisposableStack();
  const source = stack.use(await startRegistry({ access: PUBLIC_TOKENS, frontDoor: isDated }));
  const destination = stack.use(await startRegistry({ access: TOKENS }));
  const route = new SyncRoute({ source, destination, set });
  const put = (repository: string, tag: string, hours: number, text = tag): void => {
    seedIndex(source.storage, repository, {
      tags: [tag],
      uploaded: at(hours).getTime(),
      seed: `${repository} ${text}`,
    });
  };
  const run = async (hours: number, choices = {}) => {
    const { report, lines } = await route.run({ now: at(hours), ...choices });
    const of = (outcome: string): string[] =>
      report.images
        .filter((image) => image.outcome === outcome)
        .map(({ destination: name }) => name.slice(name.lastIndexOf('/') + 1));
    return { report, lines, copied: of('copied'), deferred: of('deferred'), failed: of('failed') };
  };
  const held = (name: string, tag: string) => destination.storage.manifest(`keel/${name}`, tag)?.digest;
  return { source, destination, route, put, run, held, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe('with "minimumAge"', () => {
  test('a tag that was uploaded an hour ago waits, and is told with when it is old enough', async () => {
    await using here = await world({ names: ['app'], minimumAge: '48h' });
    here.put('app', 'v1.0.0', -100);
    here.put('app', 'v1.1.0', -1);
    const first = await here.run(0);
    expect(first).toMatchObject({ copied: ['app:v1.0.0'], deferred: ['app:v1.1.0'], failed: [] });
    expect(first.report.totals).toMatchObject({ total: 2, copied: 1, deferred: 1, tooYoung: 1 });
    expect(first.report.images.find(({ outcome }) => outcome === 'deferred')).toMatchObject({
      reason: {
        code: 'TOO_YOUNG',
        message: 'it is younger than "minimumAge"; old enough from 2026-03-03 01:00 UTC on',
      },
      oldEnough: at(47).toISOString(),
    });
    expect(first.lines).toContain(
      `1 tag is younger than "minimumAge" and not mirrored yet: ${here.source.host}/app:v1.1.0; it is old enough from 2026-03-03 01:00 UTC on`,
    );
    expect(here.held('app', 'v1.1.0')).toBeUndefined();
    expect(await here.run(46)).toMatchObject({ copied: [], deferred: ['app:v1.1.0'] });
    expect(await here.run(47)).toMatchObject({ copied: ['app:v1.1.0'], deferred: [] });
  });

  test('an image that was uploaded long ago is young under a tag that is new', async () => {
    await using here = await world({ names: ['app'], minimumAge: '48h' });
    here.put('app', 'v1.0.0', -100);
    await here.run(0);
    here.put('app', 'v1.0.1', -99, 'prepared');
    expect(await here.run(24)).toMatchObject({ copied: [], deferred: ['app:v1.0.1'] });
    expect(await here.run(72)).toMatchObject({ copied: ['app:v1.0.1'] });
  });

  test('a tag that moved is young again, and what is at the destination stays', async () => {
    await using here = await world({ names: ['app'], minimumAge: '2d' });
    here.put('app', 'v1.0.0', -100, 'good');
    await here.run(0);
    const good = here.held('app', 'v1.0.0');
    here.put('app', 'v1.0.0', -99, 'evil');
    const moved = await here.run(24);
    expect(moved).toMatchObject({ copied: [], deferred: ['app:v1.0.0'], failed: [] });
    expect(moved.lines.find((line) => line.startsWith('warning: '))).toContain(
      'moved, but should not move; it was not copied: it is younger than "minimumAge"',
    );
    expect(here.held('app', 'v1.0.0')).toBe(good);
    here.put('app', 'v1.0.0', -100, 'good');
    expect(await here.run(30)).toMatchObject({ copied: [], deferred: [] });
    here.put('app', 'v1.0.0', -99, 'evil');
    expect(await here.run(73), 'the time in between does not count').toMatchObject({
      deferred: ['app:v1.0.0'],
    });
    expect(await here.run(121)).toMatchObject({ copied: ['app:v1.0.0'] });
  });

  test('a source that tells no times waits for the first sight in the state', async () => {
    await using here = await world(
      { names: ['app'], minimumAge: '48h', tags: { latest: 1 } },
      { isDated: false },
    );
    here.put('app', 'v1.0.0', -1000);
    expect(await here.run(0)).toMatchObject({ copied: [], deferred: ['app:v1.0.0'] });
    expect(await here.run(47)).toMatchObject({ copied: [], deferred: ['app:v1.0.0'] });
    expect(await here.run(48)).toMatchObject({ copied: ['app:v1.0.0'], deferred: [] });
    here.put('app', 'v1.1.0', -1000);
    expect(await here.run(49)).toMatchObject({ copied: [], deferred: ['app:v1.1.0'] });
    expect(await here.run(97)).toMatchObject({ copied: ['app:v1.1.0'] });
  });

  test('a run for one tag that is named forgets nothing of the others', async () => {
    await using here = await world({ names: ['app'], minimumAge: '48h' }, { isDated: false });
    here.put('app', 'v1.0.0', -1000);
    here.put('app', 'v1.1.0', -1000);
    expect((await here.run(0)).deferred).toHaveLength(2);
    here.route.wants({ extras: [`${here.source.host}/app:v1.0.0`], minimumAge: '48h' });
    expect(await here.run(1)).toMatchObject({ copied: [], deferred: ['app:v1.0.0'] });
    here.route.wants({ names: ['app'], minimumAge: '48h' });
    expect((await here.run(48)).copied).toHaveLength(2);
  });

  test('the digest that was judged is the one that is copied, if the tag moves in between', async () => {
    await using here = await world({ names: ['app'], minimumAge: '48h' }, { isDated: false });
    here.put('app', 'v1.0.0', -1000, 'good');
    await here.run(0);
    const good = here.source.storage.manifest('app', 'v1.0.0')?.digest;
    const { promise, resolve } = Promise.withResolvers<void>();
    here.source.fail({ match: { kind: 'manifest-get' }, fault: { kind: 'hold', until: promise } });
    const running = here.run(48);
    await here.source.journal.next({ kind: 'manifest-get' });
    here.put('app', 'v1.0.0', -1000, 'evil');
    resolve();
    expect(await running).toMatchObject({ copied: ['app:v1.0.0'] });
    expect(here.held('app', 'v1.0.0')).toBe(good);
  });

  test('what is mirrored already is not young when the rule comes later, and none is asked for more', async () => {
    await using here = await world({ names: ['app'] });
    here.put('app', 'v1.0.0', -1);
    await here.run(0);
    here.route.wants({ names: ['app'], minimumAge: '48h' });
    expect(await here.run(1, { verify: 'all' })).toMatchObject({ copied: [], deferred: [], failed: [] });
    here.destination.storage.deleteTag('keel/app', 'v1.0.0');
    expect(await here.run(2)).toMatchObject({ copied: ['app:v1.0.0'] });
  });

  test('a patch sets another age, or none', async () => {
    const patches = [
      { match: 'quick', minimumAge: '0' },
      { match: 'slow', minimumAge: '7d' },
    ];
    await using here = await world({ names: ['app', 'quick', 'slow'], minimumAge: '48h', patches });
    for (const name of ['app', 'quick', 'slow']) here.put(name, 'v1.0.0', -72);
    for (const name of ['app', 'quick', 'slow']) here.put(name, 'v1.1.0', -1);
    const { copied, deferred } = await here.run(0);
    expect(copied.toSorted()).toEqual(['app:v1.0.0', 'quick:v1.0.0', 'quick:v1.1.0']);
    expect(deferred.toSorted()).toEqual(['app:v1.1.0', 'slow:v1.0.0', 'slow:v1.1.0']);
  });

  test('"latest" keeps the newest that is old enough while a newer one waits', async () => {
    await using here = await world({ names: ['app'], minimumAge: '48h', tags: { latest: 1 } });
    here.put('app', 'v1.0.0', -100);
    here.put('app', 'v1.1.0', -1);
    expect(await here.run(0)).toMatchObject({ copied: ['app:v1.0.0'], deferred: ['app:v1.1.0'] });
  });

  test('a dry run tells the same, and is no sight', async () => {
    await using here = await world({ names: ['app'], minimumAge: '48h' }, { isDated: false });
    here.put('app', 'v1.0.0', -1000);
    const { report, copied } = await here.run(0, { dryRun: true });
    expect(copied).toEqual([]);
    expect(report.totals).toMatchObject({ deferred: 1, tooYoung: 1 });
    expect(await here.run(48)).toMatchObject({ deferred: ['app:v1.0.0'] });
  });
});

/** Returns the version that `synctl check --kubernetes latest` checks. */
async function checked(route: SyncRoute, hours: number): Promise<string> {
  const choice = { word: parseKubernetesWord('latest', 'test'), architecture: 'amd64' } as const;
  const { version } = await checkInstallation(choice, route.settings(), {
    ...route.parts(),
    now: () => at(hours),
  });
  return version;
}

test('check tells what waits as that, and not as missing', async () => {
  await using here = await world({ names: ['app'], minimumAge: '48h' });
  here.put('app', 'v1.0.0', -100);
  here.put('app', 'v1.1.0', -1);
  await here.run(0);
  const look = async (hours: number) => {
    const parts = { ...here.route.parts(), now: () => at(hours) };
    const image = parseReference(`${here.source.host}/app`);
    const { tags } = await checkImage(image, here.route.settings(), parts);
    return tags.map(({ tag, verdict }) => `${tag} ${verdict}`);
  };
  expect(await look(1)).toEqual(['v1.1.0 waiting', 'v1.0.0 mirrored']);
  expect(await look(47)).toEqual(['v1.1.0 missing', 'v1.0.0 mirrored']);
});

describe('of the releases of Kubernetes with "minimumAge"', () => {
  const PROGRAMS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'];
  const OTHERS = [
    ['etcd', '3.6.8-0'],
    ['coredns/coredns', 'v1.14.2'],
    ['pause', '3.10.2'],
  ] as const;

  async function cluster(isDated: boolean) {
    const here = await world({ kubernetes: ['latest'], minimumAge: '48h' }, { isDated });
    for (const name of PROGRAMS) here.put(name, 'v1.36.2', -100);
    for (const [name, tag] of OTHERS) here.put(name, tag, -1000);
    return here;
  }

  test('"latest" is the one before a release of which an image is too young', async () => {
    await using here = await cluster(true);
    for (const name of PROGRAMS) here.put(name, 'v1.36.3', name === 'kube-proxy' ? -47 : -100);
    const { report, lines, copied } = await here.run(0);
    expect(report.kubernetes?.map(({ versions }) => versions.map(({ version }) => version))).toEqual([
      ['1.36.2'],
    ]);
    expect(lines).toContain(
      'Kubernetes latest: 1.36.2 (tags from table); 1.36.3 is younger than "minimumAge"',
    );
    expect(copied).toHaveLength(7);
    expect(await checked(here.route, 0)).toBe('1.36.2');
    expect(await checked(here.route, 1)).toBe('1.36.3');
    const next = await here.run(1);
    expect(next.report.kubernetes?.[0]?.versions[0]?.version).toBe('1.36.3');
    expect(next.copied.toSorted()).toEqual(PROGRAMS.map((name) => `${name}:v1.36.3`).toSorted());
  });

  test('"latest" waits for etcd of a release too, whose programs are old enough', async () => {
    await using here = await cluster(true);
    for (const name of PROGRAMS) here.put(name, 'v1.35.7', -1000);
    for (const [name, tag] of [
      ['etcd', '3.6.6-0'],
      ['coredns/coredns', 'v1.13.1'],
      ['pause', '3.10.1'],
    ] as const)
      here.put(name, tag, -1000);
    here.put('etcd', '3.6.8-0', -47, 'late');
    const first = await here.run(0);
    expect(first.report.kubernetes?.[0]?.versions[0]?.version).toBe('1.35.7');
    expect(first.deferred).toEqual([]);
    expect((await here.run(1)).report.kubernetes?.[0]?.versions[0]?.version).toBe('1.36.2');
  });

  test('"latest" comes to a new release of a source without times once that was seen for long enough', async () => {
    await using here = await cluster(false);
    const [first, second] = [await here.run(0), await here.run(48)];
    expect([first.copied.length, second.copied.length]).toEqual([0, 7]);
    for (const name of PROGRAMS) here.put(name, 'v1.36.3', -1000);
    const third = await here.run(49);
    expect(third.report.kubernetes?.[0]?.versions[0]?.version).toBe('1.36.2');
    expect(third.failed).toEqual([]);
    const fourth = await here.run(97);
    expect(fourth.report.kubernetes?.[0]?.versions[0]?.version).toBe('1.36.3');
    expect(fourth.copied).toHaveLength(4);
  });

  test('a version that is named waits, and is not told as missing', async () => {
    await using here = await cluster(true);
    here.route.wants({ kubernetes: ['1.36.2'], minimumAge: '200h' });
    const { lines, deferred, failed } = await here.run(0);
    expect({ deferred: deferred.length, failed }).toEqual({ deferred: 4, failed: [] });
    expect(lines.filter((line) => line.includes('matches nothing'))).toEqual([]);
  });
});
