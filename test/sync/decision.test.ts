import { describe, expect, test } from 'vitest';
import { parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import { type DestinationListing, decide, describeReason, extentOf } from '../../src/sync/plan/decision.ts';
import { recordedImage } from '../support/planned-image.ts';
import { digestFor } from '../support/sample-manifest.ts';

type Situation = Parameters<typeof decide>[0];

const TAG = parseTag('v1.36.2');
const MOVING = parseTag('v1.36');
const SIGNATURE = parseTag(`sha256-${'a'.repeat(64)}.sig`);
const DAY_MILLISECONDS = 86_400_000;
const there: DestinationListing = { kind: 'tags', tags: new Set([TAG, MOVING, SIGNATURE]) };
/** A tag of which source, state and destination agree, and that nobody is likely to have moved. */
const AGREED: Situation = {
  repository: parseRepository('keel/kube-proxy'),
  tag: TAG,
  sourceDigest: digestFor('pause'),
  listing: there,
  recorded: recordedImage(),
  options: '',
  isSignatureDue: false,
  keepsMoved: false,
  verify: 'none',
  now: new Date('2026-03-01T02:00:00Z'),
};
const inDays = (count: number): Date => new Date(AGREED.now.getTime() + count * DAY_MILLISECONDS);
const decided = (more: Partial<Situation>): string => {
  const { action, reason } = decide({ ...AGREED, ...more });
  return `${action} ${reason.code}`;
};

describe('what is done about a tag, and why', () => {
  test.each<[string, string, Partial<Situation>]>([
    ['skip UNCHANGED', 'all agree', {}],
    ['copy REPOSITORY_NEW', 'there is no such repository', { listing: { kind: 'absent' } }],
    ['copy MISSING', 'the listing lacks it', { listing: { kind: 'tags', tags: new Set([MOVING]) } }],
    ['check DESTINATION_UNLISTED', 'nothing is listed', { listing: { kind: 'unknown' } }],
    ['check SOURCE_DIGEST_UNKNOWN', 'the source lists no digests', { sourceDigest: undefined }],
    ['check NOT_IN_STATE', 'the state knows nothing', { recorded: undefined }],
    ['copy CHANGED', 'the source has another one', { sourceDigest: digestFor('newer') }],
    ['check CHANGED', 'that one may be kept out', { sourceDigest: digestFor('newer'), keepsMoved: true }],
    ['skip UNCHANGED', 'it would be kept, and did not move', { keepsMoved: true }],
    ['check OTHER_SETTINGS', 'it was mirrored for other platforms', { options: 'platforms=linux/amd64' }],
    ['check SIGNATURE_DUE', 'its signature is to be verified', { isSignatureDue: true }],
    ['check MOVING_TAG', 'its tag moves', { tag: MOVING }],
    ['skip UNCHANGED', 'it is a signature, whose tag is a digest', { tag: SIGNATURE }],
    ['check VERIFIED', 'all are verified', { verify: 'all' }],
  ])('%s: %s', (expected, _, more) => {
    expect(decided(more)).toBe(expected);
  });

  test.each<[string, Partial<Situation>]>([
    // Each row has a reason and one that comes before it.
    ['copy REPOSITORY_NEW', { listing: { kind: 'absent' }, sourceDigest: undefined }],
    ['copy MISSING', { listing: { kind: 'tags', tags: new Set() }, recorded: undefined }],
    ['check DESTINATION_UNLISTED', { listing: { kind: 'unknown' }, sourceDigest: digestFor('newer') }],
    ['check SOURCE_DIGEST_UNKNOWN', { sourceDigest: undefined, recorded: undefined }],
    ['check NOT_IN_STATE', { recorded: undefined, isSignatureDue: true }],
    ['copy CHANGED', { sourceDigest: digestFor('newer'), options: 'platforms=linux/amd64' }],
    ['check OTHER_SETTINGS', { options: 'platforms=linux/amd64', isSignatureDue: true }],
    ['check SIGNATURE_DUE', { isSignatureDue: true, tag: MOVING }],
    ['check MOVING_TAG', { tag: MOVING, verify: 'all' }],
  ])('%s comes first', (expected, more) => {
    expect(decided(more)).toBe(expected);
  });

  test.each([
    ['skip UNCHANGED', 'conversion=docker-format', ''],
    ['skip UNCHANGED', 'signed=0123456789ab', ''],
    ['skip UNCHANGED', 'platforms=linux/amd64;conversion=docker-format', 'platforms=linux/amd64'],
    ['check OTHER_SETTINGS', 'platforms=linux/amd64', 'platforms=linux/arm64'],
  ])('%s: it was mirrored with %j, and is wanted with %j', (expected, recorded, options) => {
    expect(decided({ recorded: recordedImage({ options: recorded }), options })).toBe(expected);
  });
});

describe('the sample', () => {
  const days = Array.from({ length: 28 }, (_, day) => day);
  const sampledOn = (more: Partial<Situation> = {}): number[] =>
    days.filter((day) => decided({ ...more, verify: 'sample', now: inDays(day) }) === 'check SAMPLED');

  test('has each tag once in 14 days, at any hour of its day', () => {
    const [first = 0, second, ...others] = sampledOn();
    expect([second, others]).toEqual([first + 14, []]);
    const midnight = Math.floor(inDays(first).getTime() / DAY_MILLISECONDS) * DAY_MILLISECONDS;
    for (const hour of [0, 23]) {
      const now = new Date(midnight + hour * 3_600_000);
      expect(decided({ verify: 'sample', now })).toBe('check SAMPLED');
    }
  });

  test('is spread over the days by repository and tag', () => {
    const first = (repository: string, tag: string): number | undefined => {
      const listing: DestinationListing = { kind: 'tags', tags: new Set([parseTag(tag)]) };
      return sampledOn({ repository: parseRepository(repository), tag: parseTag(tag), listing })[0];
    };
    const tags = Array.from({ length: 200 }, (_, number) => `v1.0.${number}`);
    expect(new Set(tags.map((tag) => first('keel/kube-proxy', tag))).size).toBe(14);
    expect(new Set(tags.map((tag) => first(`keel/${tag}`, 'v1.0.0'))).size).toBe(14);
  });
});

test.each<[ReturnType<typeof extentOf>, Situation['verify'], number]>([
  ['tag', 'none', 0],
  ['tag', 'sample', 1],
  ['manifests', 'sample', 0],
  ['manifests', 'all', 1],
  ['parts', 'deep', 1],
])('the extent is %s with --verify %s, %i days after that of the sample', (extent, verify, days) => {
  const first = Array.from({ length: 14 }, (_, day) => day).find(
    (day) => decided({ verify: 'sample', now: inDays(day) }) === 'check SAMPLED',
  );
  expect(extentOf({ ...AGREED, verify, now: inDays((first ?? 0) + days) })).toBe(extent);
});

test('a reason has a code for programs and words for people', () => {
  expect(describeReason('UNCHANGED')).toEqual({ code: 'UNCHANGED', message: 'unchanged' });
});
