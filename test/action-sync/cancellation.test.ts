import { expect, test } from 'vitest';
import { Nights } from './nights.ts';

test('a run that is cancelled ends in time, keeps what it did, and the next one goes on', async () => {
  const nights = await Nights.start();
  const stuck = nights.source.fail({
    match: { kind: 'blob-get', path: /\/kube-proxy\// },
    fault: { kind: 'silence' },
    times: Number.POSITIVE_INFINITY,
  });
  const cancelled = await nights.night({
    // All others have arrived by then, so that what is left is known.
    cancelWhen: (log) => (log.match(/B .* (?:etcd|kube-\w+|pause):/g) ?? []).length === 7,
  });
  await expect(cancelled.golden).toMatchFileSnapshot('golden/cancelled.txt');
  expect(cancelled.main.signals).toEqual(['SIGINT']);
  expect(cancelled.main.cancelledFor).toBeLessThan(5000);
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
  await expect(night.golden).toMatchFileSnapshot('golden/cancelled-early.txt');
  expect(night.main.cancelledFor).toBeLessThan(5000);
});

test('the time limit of a run leaves what is not done to the next', async () => {
  const nights = await Nights.start();
  nights.source.fail({
    match: { kind: 'blob-get', path: /\/etcd\// },
    fault: { kind: 'silence' },
    times: 100,
  });
  const night = await nights.night({ with: { 'command-timeout': '2s' } });
  await expect(night.golden).toMatchFileSnapshot('golden/out-of-time.txt');
});
