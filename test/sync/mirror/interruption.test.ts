import { expect, it } from 'vitest';
import { seconds } from '../../../src/lib/duration.ts';
import type { Digest } from '../../../src/registry/oci/digest.ts';
import type { RequestChoice } from '../../support/counting-proxy.ts';
import type { Image } from '../../support/images/image.ts';
import type { PlainPush } from '../../support/images/push.ts';
import { describeWith } from '../../support/programs.ts';
import { outcomes } from '../../support/sync-run.ts';
import { MIRRORED, world } from './world.ts';

/** Five seconds are promised; a slow machine takes longer, and what does not wind up at all a minute and more. */
const WIND_UP_MILLISECONDS = 30_000;
const CODES = { SIGINT: 130, SIGTERM: 143 } as const;

const MOMENTS: readonly [string, RequestChoice][] = [
  ['a layer is sent', { method: 'PUT', path: /keel\/metrics-server\/blobs\/uploads/ }],
  ['an upload is opened', { method: 'POST', path: /keel\/coredns\/blobs\/uploads/ }],
  ['the manifest of a platform is pushed', { method: 'PUT', path: /keel\/coredns\/manifests\/sha256/ }],
  ['a tag is pushed', { method: 'PUT', path: /keel\/[^/]+\/manifests\/v1/ }],
];

/** Returns the blobs that destination repositories hold, as `repository digest`. */
async function placedBlobs(destination: PlainPush, images: ReadonlyMap<string, Image>): Promise<Set<string>> {
  const placed = new Set<string>();
  for (const [source, name] of MIRRORED) {
    const repository = `keel/${name.split(':')[0]}`;
    for (const digest of images.get(source)?.blobs.keys() ?? []) {
      if (await destination.holds(repository, digest)) placed.add(`${repository} ${digest}`);
    }
  }
  return placed;
}

/** Returns what tags point at and is not there. */
async function missingBehindTags(
  destination: PlainPush,
  images: ReadonlyMap<string, Image>,
): Promise<string[]> {
  const missing: string[] = [];
  for (const [source, name] of MIRRORED) {
    const [repository, tag = ''] = `keel/${name}`.split(':');
    const image = images.get(source);
    if (repository === undefined || image === undefined) throw new Error(`there is no ${source}`);
    if ((await destination.digestOf(repository, tag)) === undefined) continue;
    const digests: readonly Digest[] = image.children.map(({ digest }) => digest);
    for (const digest of digests) {
      if ((await destination.digestOf(repository, digest)) === undefined) missing.push(`${name} ${digest}`);
    }
    for (const digest of image.blobs.keys()) {
      if (!(await destination.holds(repository, digest))) missing.push(`${name} ${digest}`);
    }
  }
  return missing;
}

/** Gives `repository digest` of each blob whose bytes were sent and taken. */
function sentBlobs(proxy: Awaited<ReturnType<typeof world>>['proxy']): string[] {
  return proxy.filter({ method: 'PUT', path: /\/blobs\/uploads\//, status: 201 }).map(({ path, query }) => {
    const repository = path.replace(/^\/v2\/|\/blobs\/uploads\/.*$/g, '');
    return `${repository} ${new URLSearchParams(query).get('digest')}`;
  });
}

describeWith(['docker-registry'], 'a run that is ended early', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'winds up within seconds of %s, saves its state and tells what is left',
    async (signal) => {
      await using all = await world('htpasswd');
      const { route, proxy } = all;
      const hold = proxy.hold({ method: 'PUT', path: /keel\/metrics-server\/manifests/ });
      const sync = route.start();
      await sync.until(hold.reached);
      const asked = performance.now();
      sync.kill(signal);
      const { code, told } = await sync.end();
      expect(performance.now() - asked).toBeLessThan(WIND_UP_MILLISECONDS);
      expect(code).toBe(CODES[signal]);
      expect(told).toContain('stopping');
      const left = sync.report.images.filter(({ outcome }) => outcome === 'deferred');
      expect(sync.report.interrupted?.message).toContain(signal);
      expect(sync.report.interrupted?.left).toBe(left.length);
      expect(left.map(({ destination }) => destination)).toContain(
        `${proxy.host}/keel/metrics-server:v0.9.0`,
      );
      expect(sync.report.totals.total).toBe(MIRRORED.length);
      hold.release();
      const { report } = await route.run();
      expect(report.stateRestored).toBe(true);
      expect(report.totals).toMatchObject({ total: MIRRORED.length, failed: 0, deferred: 0 });
    },
  );

  it('keeps to --command-timeout although the destination does not answer', async () => {
    await using all = await world();
    const { route, proxy } = all;
    const hold = proxy.hold({ method: ['PUT', 'POST'] });
    const began = performance.now();
    // Long enough to learn what there is.
    const { report } = await route.run({ commandTimeout: seconds(5) });
    expect(performance.now() - began).toBeLessThan(5000 + WIND_UP_MILLISECONDS);
    expect(report.interrupted).toEqual({ message: 'the time limit of 5.0 s is over', left: MIRRORED.length });
    expect(route.hasState()).toBe(true);
    hold.release();
    const { report: next } = await route.run();
    expect(next.totals).toMatchObject({ copied: MIRRORED.length, failed: 0 });
  });

  it('ends within seconds of a signal even before it knows what there is', async () => {
    await using all = await world();
    const { route, source } = all;
    const hold = source.hold({ path: /tags\/list$/ });
    const sync = route.start();
    await sync.until(hold.reached);
    const asked = performance.now();
    sync.kill('SIGTERM');
    expect((await sync.end()).code).toBe(CODES.SIGTERM);
    expect(performance.now() - asked).toBeLessThan(WIND_UP_MILLISECONDS);
    hold.release();
  });

  it.each(MOMENTS)('is killed while %s: no tag is broken, and nothing is sent twice', async (_, moment) => {
    await using all = await world();
    const { route, proxy, destination, images } = all;
    const hold = proxy.hold(moment);
    const sync = route.start();
    await sync.until(hold.reached);
    sync.kill('SIGKILL');
    expect((await sync.end()).code).toBe('SIGKILL');
    hold.release();
    expect(await missingBehindTags(destination, images)).toEqual([]);
    const before = await placedBlobs(destination, images);
    proxy.clear();
    const { report } = await route.run();
    expect(Object.keys(outcomes(report))).toHaveLength(MIRRORED.length);
    expect(report.totals).toMatchObject({ total: MIRRORED.length, failed: 0, deferred: 0 });
    const sent = sentBlobs(proxy);
    expect(sent.filter((blob) => before.has(blob))).toEqual([]);
    expect(new Set(sent).size).toBe(sent.length);
    expect(await missingBehindTags(destination, images)).toEqual([]);
    for (const [source, name] of MIRRORED) {
      const [repository = '', tag = ''] = `keel/${name}`.split(':');
      expect(await destination.digestOf(repository, tag)).toBe(images.get(source)?.digest);
    }
  });
});
