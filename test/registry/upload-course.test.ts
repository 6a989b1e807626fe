import { describe, expect, it } from 'vitest';
import type { PushRequest } from '../../src/registry/blob/push-request.ts';
import {
  type Course,
  courseAfter,
  courseAtLast,
  isStuck,
  positionAfterChunk,
  type Standing,
} from '../../src/registry/blob/upload-course.ts';

const MEBIBYTE = 1024 * 1024;
const STANDING: Standing = {
  size: 20 * MEBIBYTE,
  sent: 0,
  chunk: 16 * MEBIBYTE,
  leastChunk: MEBIBYTE,
  takesWhole: true,
  takesChunks: true,
  hasTaken: false,
  told: 'nothing',
};
const LARGE: Partial<Standing> = { size: 65 * MEBIBYTE };

/** Weather stands for a status that passes, a cut for no answer at all. */
type Row = readonly [
  request: PushRequest,
  answer: number | 'cut',
  standing: Partial<Standing>,
  course: Course,
  counts: boolean,
];

const ROWS: readonly Row[] = [
  // What is needed is repeated, and its refusal ends the push.
  ['ping', 'cut', {}, 'again', true],
  ['open', 503, {}, 'again', true],
  ['open', 404, {}, 'end', false],
  ['open', 501, {}, 'end', false],
  // What only saves work is repeated, and done without.
  ['mount', 503, {}, 'again', true],
  ['mount', 415, {}, 'without', false],
  ['ask', 'cut', {}, 'again', true],
  ['ask', 400, {}, 'without', false],
  ['inspect', 429, {}, 'again', true],
  ['inspect', 405, {}, 'without', false],
  // A whole blob.
  ['put', 'cut', {}, 'new', true],
  ['put', 502, { sent: 8 * MEBIBYTE }, 'again', true],
  ['put', 'cut', LARGE, 'in chunks', true],
  ['put', 'cut', { ...LARGE, takesChunks: false }, 'new', true],
  ['put', 413, {}, 'in chunks', false],
  ['put', 413, { takesChunks: false }, 'end', false],
  ['put', 404, {}, 'new', true],
  ['put', 416, {}, 'new', true],
  ['put', 400, {}, 'end', false],
  ['put', 403, {}, 'end', false],
  // A chunk.
  ['patch', 'cut', {}, 'again', true],
  ['patch', 500, { hasTaken: true }, 'again', true],
  ['patch', 413, {}, 'smaller', false],
  ['patch', 413, { chunk: MEBIBYTE }, 'end', false],
  ['patch', 413, { chunk: 5 * MEBIBYTE, leastChunk: 5 * MEBIBYTE }, 'end', false],
  ['patch', 416, {}, 'again', true],
  ['patch', 416, { told: 'the same' }, 'smaller', false],
  ['patch', 416, { told: 'another' }, 'blindly', true],
  ['patch', 416, { told: 'the same', chunk: MEBIBYTE }, 'whole', false],
  ['patch', 404, { hasTaken: true }, 'new', true],
  ['patch', 404, {}, 'whole', false],
  ['patch', 405, {}, 'whole', false],
  ['patch', 501, {}, 'whole', false],
  ['patch', 405, { takesWhole: false }, 'too large', false],
  ['patch', 403, {}, 'end', false],
  // The end of an upload in chunks.
  ['close', 504, {}, 'again', true],
  ['close', 400, {}, 'whole', false],
  ['close', 400, { takesWhole: false }, 'new', true],
  ['close', 401, {}, 'end', false],
];

const PASSING: ReadonlySet<number | 'cut'> = new Set(['cut', 429, 500, 502, 503, 504]);

function setback(request: PushRequest, answer: number | 'cut') {
  return { request, status: answer === 'cut' ? undefined : answer, isPassing: PASSING.has(answer) };
}

describe('after a failed request', () => {
  it.each(ROWS)('%s, %s, with %o a push goes on: %s', (request, answer, differing, course, counts) => {
    const standing = { ...STANDING, ...differing };
    expect(courseAfter(setback(request, answer), standing)).toEqual({ course, counts });
  });

  it.each<readonly [PushRequest, number | 'cut', Course | undefined]>([
    ['mount', 503, 'without'],
    ['ask', 500, 'without'],
    ['inspect', 500, 'without'],
    ['mount', 'cut', undefined],
    ['put', 503, undefined],
    ['open', 503, undefined],
  ])('%s, %s, without an attempt left it goes on: %s', (request, answer, course) => {
    expect(courseAtLast(setback(request, answer))).toBe(course);
  });
});

describe('after a chunk of bytes 10 to 30', () => {
  it.each([
    ['nothing is told', undefined, 30],
    ['all is kept', 30, 30],
    ['a part is kept', 20, 20],
    ['the end of the first chunk is told, as by ECR', 10, 30],
    ['less is told', 5, 30],
    ['more is told', 40, 30],
  ])('where %s (%s) an upload stands at %i', (_, told, position) => {
    expect(positionAfterChunk({ start: 10, end: 30 }, told)).toBe(position);
  });
});

it.each([
  [0, 10, 1, false],
  [5, 105, 14, true],
  [5, 105, 15, false],
  [0, 16 * MEBIBYTE, MEBIBYTE - 1, true],
  [0, 16 * MEBIBYTE, MEBIBYTE, false],
])('of a chunk from %i to %i, kept up to %i, an upload is stuck: %s', (start, end, position, expected) => {
  expect(isStuck({ start, end }, position)).toBe(expected);
});
