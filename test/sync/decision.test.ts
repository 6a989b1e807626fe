import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { parseHost, parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import { type DestinationListing, decide } from '../../src/sync/plan/decision.ts';

const OLD = digestOf(Buffer.from('old'));
const NEW = digestOf(Buffer.from('new'));
const DAY = 86_400_000;

function recorded(tag: string, options = '') {
  return {
    tag: parseTag(tag),
    source: { host: parseHost('registry.k8s.io'), repository: parseRepository('pause'), tag: parseTag(tag) },
    sourceDigest: OLD,
    pushedDigest: OLD,
    options,
    bytes: 1,
    pushed: new Date(0),
    confirmed: new Date(0),
  };
}

function listing(...tags: readonly string[]): DestinationListing {
  return { kind: 'tags', tags: new Set(tags.map((tag) => parseTag(tag))) };
}

/** What is known of a tag about which everything agrees, but for what a case says otherwise. */
function situation(
  tag: string,
  otherwise: Partial<Parameters<typeof decide>[0]> = {},
): Parameters<typeof decide>[0] {
  return {
    repository: parseRepository('keel/pause'),
    tag: parseTag(tag),
    sourceDigest: OLD,
    listing: listing(tag),
    recorded: recorded(tag),
    options: '',
    isSignatureDue: false,
    verify: 'none',
    now: new Date('2026-01-31T00:00:00Z'),
    ...otherwise,
  };
}

describe('a tag', () => {
  test.each<[what: string, tag: string, otherwise: Partial<Parameters<typeof decide>[0]>, decided: string]>([
    ['about which all agree', 'v1.36.2', {}, 'skip UNCHANGED'],
    ['of a repository that is not there', 'v1.36.2', { listing: { kind: 'absent' } }, 'copy REPOSITORY_NEW'],
    ['that is not listed there', 'v1.36.2', { listing: listing('v1.36.1') }, 'copy MISSING'],
    [
      'where the destination lists nothing',
      'v1.36.2',
      { listing: { kind: 'unknown' } },
      'check DESTINATION_UNLISTED',
    ],
    [
      'where the source tells no digest',
      'v1.36.2',
      { sourceDigest: undefined },
      'check SOURCE_DIGEST_UNKNOWN',
    ],
    ['that the state does not know', 'v1.36.2', { recorded: undefined }, 'check NOT_IN_STATE'],
    ['that has another digest at the source', 'v1.36.2', { sourceDigest: NEW }, 'copy CHANGED'],
    [
      'for which other platforms are wanted',
      'v1.36.2',
      { options: 'platforms=linux/amd64' },
      'check OTHER_SETTINGS',
    ],
    ['whose signature is due', 'v1.36.2', { isSignatureDue: true }, 'check SIGNATURE_DUE'],
    ['that moves', 'latest', {}, 'check MOVING_TAG'],
    ['of a signature, which does not', `sha256-${'0'.repeat(64)}.sig`, {}, 'skip UNCHANGED'],
    ['with all to be verified', 'v1.36.2', { verify: 'all' }, 'check VERIFIED'],
    // The first reason that applies is told.
    ['that is missing and changed', 'v1.36.2', { listing: listing(), sourceDigest: NEW }, 'copy MISSING'],
    ['that moves and changed', 'latest', { sourceDigest: NEW }, 'copy CHANGED'],
    ['that moves, with all to be verified', 'latest', { verify: 'all' }, 'check MOVING_TAG'],
  ])('%s', (_what, tag, otherwise, decided) => {
    const { action, reason } = decide(situation(tag, otherwise));
    expect(`${action} ${reason.code}`).toBe(decided);
    expect(reason.message).not.toBe('');
  });

  test('that was converted there fits the settings of now', () => {
    const known = recorded('v1.36.2', 'conversion=docker-format');
    expect(decide(situation('v1.36.2', { recorded: known })).action).toBe('skip');
  });
});

describe('a sample', () => {
  const days = Array.from({ length: 28 }, (_, day) => new Date(Date.UTC(2026, 0, 1) + day * DAY));
  const sampledOn = (tag: string) =>
    days.flatMap((now, day) =>
      decide(situation(tag, { verify: 'sample', now })).reason.code === 'SAMPLED' ? [day] : [],
    );

  test.each(['v1.0.0', 'v1.0.1', 'v1.0.2', 'v1.0.3'])(
    'has the tag %s once in 14 days, on the same one',
    (tag) => {
      const [first = -1, second] = sampledOn(tag);
      expect(sampledOn(tag)).toEqual([first, second]);
      expect(second).toBe(first + 14);
    },
  );

  test('is spread over the days', () => {
    const first = Array.from({ length: 200 }, (_, index) => sampledOn(`v1.0.${index}`)[0]);
    expect(new Set(first).size).toBe(14);
  });

  test('is the same all day', () => {
    const [day = 0] = sampledOn('v1.0.0');
    const evening = new Date((days[day]?.getTime() ?? 0) + DAY - 1);
    expect(decide(situation('v1.0.0', { verify: 'sample', now: evening })).reason.code).toBe('SAMPLED');
  });
});
