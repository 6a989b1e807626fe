import { expect, it } from 'vitest';
import { FetchProgress } from '../../src/pack/fetch/fetch-progress.ts';
import { Listener } from '../publish/listener.ts';

it('shows images and components as one, with what is under way', () => {
  const reporter = new Listener();
  const progress = new FetchProgress(reporter, 2, 500);
  progress.moved('pause', 100);
  progress.reached('kubelet', 250);
  progress.moved('pause', 50);
  progress.ended('kubelet');
  expect(reporter.shown.map(({ done, bytes, current }) => ({ done, bytes, current }))).toEqual([
    { done: 0, bytes: 100, current: ['pause'] },
    { done: 0, bytes: 350, current: ['pause', 'kubelet'] },
    { done: 0, bytes: 400, current: ['pause', 'kubelet'] },
    { done: 1, bytes: 400, current: ['pause'] },
  ]);
  expect(reporter.shown[0]).toMatchObject({ activity: 'fetching', total: 2, bytesTotal: 500 });
  expect([progress.bytesOf('pause'), progress.bytesOf('etcd')]).toEqual([150, 0]);
});

it('starts over with a download that had to', () => {
  const reporter = new Listener();
  const progress = new FetchProgress(reporter, 1, undefined);
  progress.reached('kubelet', 250);
  progress.reached('kubelet', 10);
  expect(reporter.shown.at(-1)).toMatchObject({ bytes: 10 });
});
