import { expect, test } from 'vitest';
import { Nights } from './nights.ts';

/** Five seconds are promised; a slow machine takes longer, and what does not wind up at all a minute and more. */
const WIND_UP_MILLISECONDS = 30_000;

test('a run that is cancelled ends in time, keeps what it did, and the next one goes on', async () => {
  const nights = await Nights.start();
  // Its manifests, not its layers: with a silent transfer it would hold up all that share a layer with it.
  const stuck = nights.source.fail({
    match: { kind: 'manifest-get', path: /\/kube-proxy\// },
    fault: { kind: 'silence' },
    times: Number.POSITIVE_INFINITY,
  });
  const cancelled = await nights.night({
    // All others have arrived by then, so that what is left is known.
    cancelWhen: (log) => (log.match(/B .* (?:etcd|kube-\w+|pause):/g) ?? []).length === 7,
  });
  await expect(cancelled.golden).toMatchFileSnapshot('golden/cancelled.txt');
  expect(cancelled.main.signals).toEqual(['SIGINT']);
  expect(cancelled.main.cancelledFor).toBeLessThan(WIND_UP_MILLISECONDS);
  expect(cancelled.report?.interrupted).toEqual({ message: 'cancelled by SIGINT', left: 2 });
  stuck.stop();
  const next = await nights.night();
  expect(next.main.outputs).toMatchObject({
    copied: '2',
    skipped: '7',
    failed: '0',
    'state-restored': 'true',
  });
});

test('a run that is cancelled before it knows anything says so', async () => {
  const nights = await Nights.start();
  nights.source.fail({ match: { kind: 'tags-list' }, fault: { kind: 'silence' }, times: 100 });
  const night = await nights.night({ cancelWhen: (log) => log.includes('state: none') });
  // Whether there is a state by then depends on the moment.
  const [main] = night.golden.split('--- post');
  await expect(main).toMatchFileSnapshot('golden/cancelled-early.txt');
  expect(night.main.cancelledFor).toBeLessThan(WIND_UP_MILLISECONDS);
});

test('the time limit of a run leaves what is not done to the next', async () => {
  const nights = await Nights.start();
  const stuck = nights.source.fail({
    match: { kind: 'blob-get', path: /\/etcd\// },
    fault: { kind: 'silence' },
    times: Number.POSITIVE_INFINITY,
  });
  // Long enough to copy all else.
  const { main, post, report } = await nights.night({ with: { 'command-timeout': '10s' } });
  expect({ main: main.exitCode, post: post.exitCode }).toEqual({ main: 1, post: 0 });
  expect(report?.interrupted?.message).toBe('the time limit of 10.0 s is over');
  expect(main.log.annotations.at(-1)?.message).toMatch(
    /^stopped early, the time limit of 10.0 s is over: .* left for the next run$/,
  );
  expect(report?.images).toContainEqual(
    expect.objectContaining({ source: `${nights.source.host}/etcd:3.6.8-0`, outcome: 'deferred' }),
  );
  stuck.stop();
  const next = await nights.night();
  expect(next.main.outputs).toMatchObject({ total: '9', failed: '0' });
  expect(next.main.exitCode).toBe(0);
});
