import { expect, test } from 'vitest';
import {
  describeMove,
  describeMovedSide,
  movedImages,
  tellMoved,
} from '../../src/sync/report/moved-report.ts';
import type { ReportedImage, ReportedMove } from '../../src/sync/report/report.ts';
import { digestFor } from '../support/sample-manifest.ts';

const BEFORE = { digest: digestFor('before') };
const NOW = { digest: digestFor('now') };
const MOVED: ReportedMove = { kind: 'moved', kept: false, before: BEFORE, now: NOW };

function image(
  name: string,
  moved: ReportedMove | undefined,
  more: Partial<ReportedImage> = {},
): ReportedImage {
  const source = `registry.k8s.io/${name}`;
  return { source, destination: source, outcome: 'copied', bytes: 0, milliseconds: 0, moved, ...more };
}

/** Returns the lines about some images: `error: …` and `warning: …`. */
function told(images: readonly ReportedImage[], dryRun = false): string[] {
  const lines: string[] = [];
  tellMoved(
    images,
    { dryRun },
    {
      warning: (text) => lines.push(`warning: ${text}`),
      error: (text) => lines.push(`error: ${text}`),
    },
  );
  return lines;
}

test.each<[ReportedMove['now'], RegExp]>([
  [NOW, /^sha256:[0-9a-f]{64}$/],
  [{ ...NOW, created: '2026-01-02T03:04:05.000Z' }, / \(made 2026-01-02 03:04\)$/],
  [{ ...NOW, uploaded: '2026-01-02T03:04:05.000Z' }, / \(uploaded 2026-01-02 03:04\)$/],
  [{ ...NOW, signature: { status: 'verified', identity: 'a@b.c' } }, / \(signed by a@b\.c\)$/],
  [{ ...NOW, signature: { status: 'unverified' } }, / \(without a valid signature\)$/],
  [{ ...NOW, signature: { status: 'exempt' } }, /[0-9a-f]$/],
])('one side of a move is told with what is known of it: %j', (side, text) => {
  expect(describeMovedSide(side)).toMatch(text);
});

test.each<[Partial<ReportedMove>, string]>([
  [{}, ''],
  [{ isOlder: false, sameImages: false }, ''],
  [{ isOlder: true }, 'it went back to an older image'],
  [{ sameImages: true }, 'the images of the platforms that both have are the same'],
  [{ kind: 'differs' }, 'it is unknown which side changed'],
  [{ kind: 'differs', isOlder: true }, 'it is unknown which side changed and it went back to an older image'],
])('what a move is besides: %j', (more, text) => {
  expect(describeMove({ ...MOVED, ...more })).toBe(text);
});

test.each<[Partial<ReportedMove>, Partial<ReportedImage>, boolean, string]>([
  [
    {},
    {},
    false,
    'warning: registry.k8s.io/pause:3.10 moved, but should not move; it was copied: the source had ',
  ],
  [
    { isOlder: true },
    {},
    false,
    'pause:3.10 went back to an older image, but should not move; it was copied: the ',
  ],
  [
    { sameImages: true },
    {},
    false,
    ' move; the images of the platforms that both have are the same; it was copied: ',
  ],
  [{}, {}, true, '; it would be copied: '],
  [{}, { outcome: 'checked' }, false, '; the destination has it already: '],
  [
    {},
    { outcome: 'failed', reason: { code: 'X', message: 'no' } },
    false,
    '; it was not copied: no: the source',
  ],
  [{ kept: true }, { outcome: 'failed' }, false, 'error: registry.k8s.io/pause:3.10 moved'],
  [
    { kept: true },
    { outcome: 'failed', reason: { code: 'TAG_MOVED', message: 'x', hint: 'accept it' } },
    false,
    `; the destination was left unchanged: the source had ${BEFORE.digest}, and now has ${NOW.digest} (accept it)`,
  ],
  [
    { kind: 'differs' },
    {},
    false,
    ' differs from the destination, but should not move; it is unknown which side changed; it was copied: the destination has ',
  ],
  [
    { kind: 'went-back', isOlder: true },
    {},
    false,
    'warning: registry.k8s.io/pause:3.10 went back to an older image; it was copied: the source had ',
  ],
])('a move %j of an image %j is told (dry run: %s): …%s…', (move, more, dryRun, text) => {
  const lines = told([image('pause:3.10', { ...MOVED, ...move }, more)], dryRun);
  expect(lines).toEqual([expect.stringContaining(text)]);
});

test('what went back comes first, then what was kept; images that did not move are not among them', () => {
  const images = [
    image('copied', MOVED),
    image('still', undefined),
    image('kept', { ...MOVED, kept: true }),
    image('back', { ...MOVED, isOlder: true }),
  ];
  expect(movedImages(images).map(({ source }) => source)).toEqual(
    ['back', 'kept', 'copied'].map((name) => `registry.k8s.io/${name}`),
  );
});

test('of thousands the first are told, and the number of the others', () => {
  const images = Array.from({ length: 1234 }, (_, index) => image(`app:v1.0.${index}`, MOVED));
  const lines = told(images);
  expect([lines.length, lines.at(-1)]).toEqual([
    11,
    'warning: 1,224 more tags moved but should not; the report lists all',
  ]);
});
