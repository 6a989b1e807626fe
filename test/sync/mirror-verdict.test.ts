import { describe, expect, it } from 'vitest';
import { abbreviateDigest, digestOf } from '../../src/registry/oci/digest.ts';
import { hasNothingLeft, isMirrored, judge, type TagFacts } from '../../src/sync/check/mirror-verdict.ts';
import type { PartsBelow } from '../../src/sync/copy/missing-parts.ts';
import type { RecordedImage } from '../../src/sync/state/image-rows.ts';
import { seenImage } from '../support/state-sample.ts';

const first = digestOf(Buffer.from('first'));
const second = digestOf(Buffer.from('second'));
const there = (digest = first) => ({ kind: 'there', digest }) as const;
const absent = { kind: 'absent' } as const;
const unknown = { kind: 'unknown', reason: 'a.example: no such host' } as const;
const recorded = (sourceDigest = first, pushedDigest = sourceDigest): RecordedImage => ({
  ...seenImage('pause', '3.10'),
  sourceDigest,
  pushedDigest,
  options: '',
  pushed: new Date(0),
  confirmed: new Date(0),
});

const below = (more: Partial<PartsBelow>): PartsBelow => ({
  images: 1,
  blobs: 3,
  missing: [],
  elsewhere: 0,
  untold: 0,
  unshown: 0,
  ...more,
});

const facts = (more: Partial<TagFacts>): TagFacts => ({
  source: there(),
  destination: there(),
  expected: first,
  recorded: undefined,
  ...more,
});

describe('a tag is judged', () => {
  it.each<[message: string, verdict: string, facts: TagFacts]>([
    ['the destination has what the source has, by the digest of the tag alone', 'mirrored', facts({})],
    [
      'the destination has what the source has, down to each layer (1 image, 3 blobs)',
      'mirrored',
      facts({ below: below({}) }),
    ],
    [
      'the destination has what the source has, down to each layer (1 image, 3 blobs; it does not answer whether it has 2 blobs of these)',
      'mirrored',
      facts({ below: below({ untold: 2 }) }),
    ],
    [
      'the destination has what the source has, down to each layer (1 image, 3 blobs; it refuses to show 1 manifest)',
      'mirrored',
      facts({ below: below({ unshown: 1 }) }),
    ],
    [
      'the destination has what the source has, by the digest of the tag alone: the destination refuses to show its manifests',
      'mirrored',
      facts({ below: below({ images: 0, blobs: 0, unshown: 1 }) }),
    ],
    [
      `the tag is right, but the destination lacks the configuration, ${abbreviateDigest(second)} (add it to the image set, and run synctl sync --verify deep to copy it again)`,
      'incomplete',
      facts({
        below: below({ missing: [{ kind: 'configuration', digest: second, path: [] }] }),
        isWanted: false,
      }),
    ],
    [
      `the tag is right, but the destination lacks layer 2 of 3 of its image for linux/arm64, ${abbreviateDigest(second)} (run synctl sync --verify deep to copy it again)`,
      'incomplete',
      facts({
        below: below({
          missing: [
            {
              kind: 'layer',
              digest: second,
              position: { number: 2, of: 3 },
              platform: 'linux/arm64',
              path: [first],
            },
          ],
        }),
      }),
    ],
    [
      'the destination has what the source has, by the digest of the tag alone except 2 layers of a type that is not distributed, whose addresses are in the manifest',
      'mirrored',
      facts({ recorded: { ...recorded(), options: 'left-out=2' } }),
    ],
    [
      'the destination has what the source has of the chosen platforms, by the digest of the tag alone',
      'mirrored',
      facts({ destination: there(second), expected: second, change: 'platforms' }),
    ],
    ['the destination does not have it', 'missing', facts({ destination: absent })],
    [
      'the destination does not have it, although it was pushed there: someone removed it',
      'missing',
      facts({ destination: absent, recorded: recorded() }),
    ],
    [
      'the destination does not have it, although it was found there: someone removed it',
      'missing',
      facts({ destination: absent, recorded: { ...recorded(), pushed: undefined } }),
    ],
    [
      'the destination has another image, and the state has no record of it',
      'differs',
      facts({ destination: there(second) }),
    ],
    [
      'the destination has another image: someone else pushed this tag',
      'differs',
      facts({ destination: there(second), recorded: recorded() }),
    ],
    [
      'the destination has another image: the source changed after it was mirrored',
      'differs',
      facts({ destination: there(second), recorded: recorded(second) }),
    ],
    [
      'the destination has another image: it was mirrored with other settings (give the same --platform)',
      'differs',
      facts({ destination: there(second), recorded: recorded(first, second) }),
    ],
    [
      'the destination has another image: someone else added to this tag of signatures or replaced it, so synctl sync leaves it unchanged (delete it at the destination to get the signatures of the source, or merge them)',
      'differs',
      facts({
        destination: there(second),
        recorded: { ...recorded(first, second), options: 'others=instead' },
      }),
    ],
    [
      'the destination has what the source has, merged with what others added to it, by the digest of the tag alone',
      'mirrored',
      facts({
        destination: there(second),
        expected: second,
        change: 'beside-others',
        recorded: { ...recorded(first, second), options: 'others=beside' },
      }),
    ],
    [
      'the destination has it, the source does not',
      'not-at-source',
      facts({ source: absent, expected: undefined }),
    ],
    [
      'neither the source nor the destination has it',
      'nowhere',
      facts({ source: absent, destination: absent, expected: undefined }),
    ],
    ['a.example: no such host', 'unknown', facts({ destination: unknown })],
    ['a.example: no such host', 'unknown', facts({ source: unknown, expected: undefined })],
  ])('%s', (message, verdict, given) => {
    expect(judge(given)).toEqual({ verdict, message });
  });
});

it.each([
  [true, true, ['mirrored', 'mirrored']],
  [false, true, ['mirrored', 'waiting']],
  [false, true, ['waiting']],
  [false, false, ['mirrored', 'differs']],
  [false, false, ['waiting', 'missing']],
  [false, false, []],
] as const)('mirrored is %s and left to do nothing is %s for tags that are %j', (all, nothing, verdicts) => {
  const tags = verdicts.map((verdict) => ({ verdict }));
  expect([isMirrored(tags), hasNothingLeft(tags)]).toEqual([all, nothing]);
});
