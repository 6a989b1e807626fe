import { statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { parseHost, parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import type { RecordedRun } from '../../src/sync/state/run-rows.ts';
import { State } from '../../src/sync/state/state.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import {
  DESTINATION_HOST,
  destinationOf,
  imagesIn,
  SOURCE_HOST,
  seenImage,
  warningKeeper,
} from '../support/state-sample.ts';

const PAUSE = destinationOf('pause');
const FIRST_DAY = new Date('2026-03-01T02:00:00Z');
const NEXT_DAY = new Date('2026-03-02T02:00:00Z');

function settingsAt(now: Date, mode: 'write' | 'read' = 'write'): Parameters<typeof State.open>[1] {
  return { ...warningKeeper(), now: () => now, mode };
}

function blob(name: string) {
  return digestOf(Buffer.from(name));
}

describe('images', () => {
  test('come back from the file as they were recorded, by their tags at the destination', () => {
    const file = `${scratchFolder()}/made/on/the/way/sync.db`;
    const plain = seenImage('pause', '3.10');
    const converted = {
      ...seenImage('pause', '3.9'),
      tag: parseTag('v3.9'),
      pushedDigest: digestOf(Buffer.from('other'), 'sha512'),
      options: 'platforms=linux/amd64',
    };
    const first = State.open(file, settingsAt(FIRST_DAY));
    expect(first.restored).toBe(false);
    first.record(PAUSE, { images: [plain, converted] });
    first.close();

    const second = State.open(file, settingsAt(NEXT_DAY));
    expect(second.restored).toBe(true);
    expect(imagesIn(second, PAUSE)).toEqual(
      new Map([
        [plain.tag, { ...plain, pushed: FIRST_DAY, confirmed: FIRST_DAY }],
        [converted.tag, { ...converted, pushed: FIRST_DAY, confirmed: FIRST_DAY }],
      ]),
    );
    const tags = [plain.tag, parseTag('v0')];
    expect(second.imagesOf(PAUSE, tags)).toEqual(
      new Map([[plain.tag, { ...plain, pushed: FIRST_DAY, confirmed: FIRST_DAY }]]),
    );
    expect(second.imagesOf(destinationOf('proxy'), tags)).toEqual(new Map());
    second.close();
  });

  test('are replaced when pushed again, and confirmed by an answer', () => {
    const settings = { now: FIRST_DAY };
    const state = State.inMemory({ ...warningKeeper(), now: () => settings.now });
    const kept = seenImage('pause', '2.0');
    state.record(PAUSE, { images: [seenImage('pause', '1.0'), kept] });
    settings.now = NEXT_DAY;
    const renewed = seenImage('pause', '1.0', 'second');
    state.record(PAUSE, { images: [renewed], confirmed: [kept.tag] });
    expect([...imagesIn(state, PAUSE).values()]).toEqual([
      { ...renewed, pushed: NEXT_DAY, confirmed: NEXT_DAY },
      { ...kept, pushed: FIRST_DAY, confirmed: NEXT_DAY },
    ]);
  });

  test('of two destinations in one file do not mix', () => {
    const state = State.inMemory(settingsAt(FIRST_DAY));
    const elsewhere = destinationOf('pause', parseHost('harbor.example:5000'));
    state.record(PAUSE, { images: [seenImage('pause', '3.10')], blobs: [blob('layer')] });
    state.record(elsewhere, {
      images: [seenImage('pause', '3.9')],
      failures: [{ tag: parseTag('3.8'), code: 'DENIED' }],
    });
    expect([...imagesIn(state, PAUSE).keys()]).toEqual(['3.10']);
    expect([...imagesIn(state, elsewhere).keys()]).toEqual(['3.9']);
    expect(state.failures(PAUSE).size).toBe(0);
    expect(state.blobHolders(elsewhere.host, blob('layer'))).toEqual([]);
    expect(state.repositories().map(({ destination }) => destination)).toEqual([elsewhere, PAUSE]);
  });

  test('are summed up by repository', () => {
    const state = State.inMemory(settingsAt(FIRST_DAY));
    state.record(PAUSE, { images: [seenImage('pause', '3.9'), seenImage('pause', '3.10')] });
    state.record(destinationOf('etcd'), { failures: [{ tag: parseTag('3.5'), code: 'DENIED' }] });
    expect(state.repositories()).toEqual([
      { destination: PAUSE, tags: 2, bytes: 640_000, unsized: 0, pushed: FIRST_DAY },
    ]);
  });

  test('that were only found have no time of a push, and those that are known keep theirs', () => {
    const state = State.inMemory(settingsAt(NEXT_DAY));
    const found = { ...seenImage('pause', '3.9'), bytes: 0, pushed: 'unknown' as const };
    state.record(PAUSE, { images: [found] });
    expect(imagesIn(state, PAUSE).get(found.tag)).toMatchObject({ pushed: undefined, confirmed: NEXT_DAY });
    expect(state.repositories()).toMatchObject([{ tags: 1, bytes: 0, unsized: 1, pushed: undefined }]);
    state.record(PAUSE, { images: [{ ...seenImage('pause', '3.10'), pushed: FIRST_DAY }] });
    expect(state.repositories()).toMatchObject([{ tags: 2, bytes: 320_000, unsized: 1, pushed: FIRST_DAY }]);
  });
});

describe('failures', () => {
  test('last until the tag goes well or 30 days have passed', () => {
    const clock = { now: FIRST_DAY };
    const state = State.inMemory({ ...warningKeeper(), now: () => clock.now });
    const tags = ['1.0', '2.0', '3.0'].map((tag) => parseTag(tag));
    state.record(PAUSE, { failures: tags.map((tag) => ({ tag, code: 'TIMED_OUT' })) });
    state.record(PAUSE, { images: [seenImage('pause', '1.0')], confirmed: [parseTag('2.0')] });
    expect([...state.failures(PAUSE).values()]).toEqual([
      { tag: '3.0', code: 'TIMED_OUT', failed: FIRST_DAY },
    ]);
    clock.now = new Date('2026-03-31T01:00:00Z');
    state.recordRun({ scope: 'any', run: runAt(FIRST_DAY) });
    expect(state.failures(PAUSE).size).toBe(1);
    clock.now = new Date('2026-04-01T03:00:00Z');
    state.recordRun({ scope: 'any', run: runAt(FIRST_DAY) });
    expect(state.failures(PAUSE).size).toBe(0);
  });
});

describe('blob hints', () => {
  test('name the repositories, the most recently used first, and go when they prove wrong', () => {
    const clock = { now: NEXT_DAY };
    const state = State.inMemory({ ...warningKeeper(), now: () => clock.now });
    const proxy = destinationOf('kube-proxy');
    state.record(PAUSE, { blobs: [blob('base'), blob('own')] });
    clock.now = FIRST_DAY;
    state.record(proxy, { blobs: [blob('base')] });
    expect(state.blobHolders(DESTINATION_HOST, blob('base'))).toEqual(['keel/pause', 'keel/kube-proxy']);
    clock.now = new Date('2026-03-03T02:00:00Z');
    state.record(proxy, { blobs: [blob('base')] });
    expect(state.blobHolders(DESTINATION_HOST, blob('base'))).toEqual(['keel/kube-proxy', 'keel/pause']);
    state.forgetBlob(proxy, blob('base'));
    expect(state.blobHolders(DESTINATION_HOST, blob('base'))).toEqual(['keel/pause']);
    expect(state.blobHolders(DESTINATION_HOST, blob('unknown'))).toEqual([]);
  });

  test('are dropped when no run used them for 90 days', () => {
    const clock = { now: FIRST_DAY };
    const state = State.inMemory({ ...warningKeeper(), now: () => clock.now });
    state.record(PAUSE, { blobs: [blob('old'), blob('used')] });
    clock.now = new Date('2026-05-20T00:00:00Z');
    state.record(PAUSE, { blobs: [blob('used')] });
    clock.now = new Date('2026-06-20T00:00:00Z');
    state.recordRun({ scope: 'any', run: runAt(FIRST_DAY) });
    expect(state.blobHolders(DESTINATION_HOST, blob('old'))).toEqual([]);
    expect(state.blobHolders(DESTINATION_HOST, blob('used'))).toEqual(['keel/pause']);
  });
});

function runAt(started: Date): RecordedRun {
  return {
    started,
    ended: new Date(started.getTime() + 42_000),
    outcome: 'succeeded',
    copied: 1,
    skipped: 2,
    failed: 0,
    deferred: 0,
    bytes: 1024,
  };
}

describe('runs', () => {
  test('are kept by scope, the last 30 of each, the oldest first', () => {
    const state = State.inMemory(settingsAt(FIRST_DAY));
    const days = Array.from({ length: 33 }, (_, day) => new Date(FIRST_DAY.getTime() + day * 86_400_000));
    state.recordRun({ scope: 'other', run: { ...runAt(FIRST_DAY), outcome: 'interrupted' } });
    for (const day of days) state.recordRun({ scope: 'nightly', run: runAt(day) });
    expect(state.runs('nightly').map(({ started }) => started)).toEqual(days.slice(3));
    expect(state.runs('other')).toEqual([{ ...runAt(FIRST_DAY), outcome: 'interrupted' }]);
    expect(state.runs('never')).toEqual([]);
  });

  test('are kept to the millisecond, also in the file', () => {
    const file = `${scratchFolder()}/sync.db`;
    const started = new Date('2026-03-01T02:00:00.250Z');
    const run = { ...runAt(started), ended: new Date('2026-03-01T02:00:00.733Z') };
    const first = State.open(file, settingsAt(FIRST_DAY));
    first.recordRun({ scope: 'nightly', run });
    first.close();
    const second = State.open(file, settingsAt(NEXT_DAY, 'read'));
    expect(second.runs('nightly')).toEqual([run]);
    second.close();
  });

  test('leave what they saw at the source, in place of what was seen before', () => {
    const state = State.inMemory(settingsAt(FIRST_DAY));
    const record = (matched: string[], listings: [string, number][]) =>
      state.recordRun({
        scope: 'nightly',
        run: runAt(FIRST_DAY),
        sourceViews: new Map([[SOURCE_HOST, { matched, listings: new Map(listings) }]]),
      });
    record(
      ['pause', 'kube-'],
      [
        ['pause', 20],
        ['', 90],
      ],
    );
    record(['pause'], [['pause', 21]]);
    state.recordRun({ scope: 'nightly', run: runAt(NEXT_DAY) });
    expect(state.sourceView(SOURCE_HOST)).toEqual({ matched: ['pause'], listings: new Map([['pause', 21]]) });
    expect(state.sourceView(parseHost('quay.io'))).toEqual({ matched: [], listings: new Map() });
  });
});

describe('reading only', () => {
  test('sees what is there and records nothing', () => {
    const file = `${scratchFolder()}/sync.db`;
    const writer = State.open(file, settingsAt(FIRST_DAY));
    writer.record(PAUSE, { images: [seenImage('pause', '3.10')] });
    writer.close();
    const before = statSync(file).mtimeMs;
    const keeper = warningKeeper();
    const reader = State.open(file, { ...keeper, mode: 'read' });
    reader.record(PAUSE, { images: [seenImage('pause', '3.9')] });
    expect([...imagesIn(reader, PAUSE).keys()]).toEqual(['3.10']);
    reader.close();
    expect(keeper.warnings).toEqual([]);
    expect(statSync(file).mtimeMs).toBe(before);
  });
});

test('100,000 tags and more blobs than are kept stay within 15 MB and open quickly', () => {
  const file = `${scratchFolder()}/large.db`;
  const state = State.open(file, settingsAt(FIRST_DAY));
  for (let number = 0; number < 250; number += 1) {
    const name = `kube-component-${number}`;
    const images = Array.from({ length: 400 }, (_, tag) => seenImage(name, `v1.${tag}.${number % 20}-amd64`));
    state.record(destinationOf(name), { images, blobs: images.map(({ sourceDigest }) => sourceDigest) });
  }
  state.recordRun({ scope: 'any', run: runAt(FIRST_DAY) });
  state.close();
  expect(statSync(file).size).toBeLessThan(15_000_000);

  const started = performance.now();
  const reopened = State.open(file, settingsAt(NEXT_DAY));
  const elapsed = performance.now() - started;
  expect(reopened.restored).toBe(true);
  expect(
    imagesIn(reopened, { host: DESTINATION_HOST, repository: parseRepository('keel/kube-component-7') }).size,
  ).toBe(400);
  reopened.close();
  // About 40 ms on a quiet machine; the bound only catches a cost of another order.
  expect(elapsed).toBeLessThan(5000);
});
