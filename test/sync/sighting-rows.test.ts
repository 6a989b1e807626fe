import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseHost, parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import { joinStates } from '../../src/sync/state/joined-state.ts';
import { State } from '../../src/sync/state/state.ts';
import { digestFor } from '../support/sample-manifest.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { warningKeeper } from '../support/state-sample.ts';

const SOURCE = { host: parseHost('registry.example.com'), repository: parseRepository('app') };
const OTHER = { ...SOURCE, repository: parseRepository('other') };
const [A, B] = [digestFor('a'), digestFor('b')];
const day = (count: number): Date => new Date(Date.UTC(2026, 2, count));

/** Writes a state that saw some tags, and returns its file. */
function stateOf(
  file: string,
  seen: Readonly<Record<string, readonly [digest: typeof A, day: number]>>,
): string {
  using state = State.open(file, warningKeeper());
  const rows = Object.entries(seen).map(
    ([tag, [digest, when]]) => [parseTag(tag), { digest, seen: day(when) }] as const,
  );
  state.sight(SOURCE, new Map(rows));
  return file;
}

test('what was seen of a source is there in the next run, for that repository alone', () => {
  const file = stateOf(join(scratchFolder(), 'state.db'), { 'v1.0.0': [A, 1], 'v1.1.0': [B, 2] });
  stateOf(file, { 'v1.0.0': [B, 3] });
  using state = State.open(file, { ...warningKeeper(), mode: 'read' });
  expect([...state.sightings(SOURCE)]).toEqual([
    ['v1.0.0', { digest: B, seen: day(3) }],
    ['v1.1.0', { digest: B, seen: day(2) }],
  ]);
  expect([...state.sightings(OTHER)]).toEqual([]);
  state.sight(SOURCE, new Map([[parseTag('v9'), { digest: A, seen: day(1) }]]));
  expect(state.sightings(SOURCE).size, 'a state that is only read stays as it is').toBe(2);
});

test('of joined states the first sight of a digest counts, and of two digests the later one', () => {
  const folder = scratchFolder();
  const first = stateOf(join(folder, 'first.db'), { same: [A, 5], moved: [A, 1], 'moved-back': [B, 9] });
  const second = stateOf(join(folder, 'second.db'), {
    same: [A, 2],
    moved: [B, 4],
    'moved-back': [A, 3],
    more: [A, 6],
  });
  expect(joinStates(first, [second], (reason) => expect.unreachable(reason))).toBe(1);
  using state = State.open(first, { ...warningKeeper(), mode: 'read' });
  expect(Object.fromEntries(state.sightings(SOURCE))).toEqual({
    same: { digest: A, seen: day(2) },
    moved: { digest: B, seen: day(4) },
    'moved-back': { digest: B, seen: day(9) },
    more: { digest: A, seen: day(6) },
  });
});
